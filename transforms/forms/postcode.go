package forms

import "strings"

// UKPostcode reads a postcode and writes it as the Royal Mail does, in upper case
// with one blank before the last three characters (BS 7666): ls14ap is LS1 4AP.
// Blanks anywhere are tolerated. The pseudo postcodes of the NHS (ZZ99 3VZ), GIR 0AA
// and those of the overseas territories (FIQQ 1ZZ) have the form too.
func UKPostcode(s string) (tidy string, ok bool) {
	c := strings.ToUpper(strings.Join(strings.Fields(s), ""))
	if len(c) < 5 || len(c) > 7 {
		return "", false
	}
	out, in := c[:len(c)-3], c[len(c)-3:]
	if !inward(in, out == "ZZ99") || !outward(out) && !special(out, in) {
		return "", false
	}
	return out + " " + in, true
}

// inward is a digit and two letters; C I K M O V do not occur but in the pseudo
// postcodes.
func inward(s string, pseudo bool) bool {
	if !fits(s, "#@@") {
		return false
	}
	return pseudo || !strings.ContainsAny(s[1:], "CIKMOV")
}

// outward is an area of one or two letters and a district: 9, 99, 9A.
func outward(s string) bool {
	if s == "ZZ99" {
		return true
	}
	if strings.IndexByte("QVX", s[0]) >= 0 {
		return false
	}
	switch {
	case fits(s, "@#"), fits(s, "@##"):
		return true
	case fits(s, "@#@"):
		return strings.IndexByte("ABCDEFGHJKPSTUW", s[2]) >= 0
	case strings.IndexByte("IJZ", s[1]) >= 0:
		return false
	case fits(s, "@@#"), fits(s, "@@##"):
		return true
	case fits(s, "@@#@"):
		return strings.IndexByte("ABEHMNPRVWXY", s[3]) >= 0
	}
	return false
}

// special are the postcodes that follow no pattern.
func special(out, in string) bool {
	switch out {
	case "GIR":
		return in == "0AA"
	case "ASCN", "BBND", "BIQQ", "FIQQ", "PCRN", "SIQQ", "STHL", "TDCU", "TKCA":
		return in == "1ZZ"
	}
	return false
}
