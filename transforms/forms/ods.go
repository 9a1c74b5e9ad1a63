package forms

import "strings"

// frames gives the shapes of ODS organisation and site codes of n characters (NHS
// Data Dictionary, "ORGANISATION CODE"): @ is a letter, # a digit, * either, any
// other character itself.
func frames(n int) []string {
	switch n {
	case 3: // trust, care trust, independent, board, government, region, commissioner, health board, authority
		return []string{"R**", "T**", "N**", "Q**", "X**", "Y##", "##@", "#@*", "###"}
	case 5: // sites of those; then pharmacy, other bodies, care home, service provider, codes given since 2020
		return []string{"R****", "T****", "N****", "Q****", "X****", "Y##**", "##@**", "#@***",
			"F****", "8****", "V@***", "LSP##", "@#@#@"}
	case 6: // practice
		return []string{"@#####"}
	case 9: // branch of a practice
		return []string{"@########"}
	}
	return nil
}

// practices are the letters that the codes of practices begin with.
const practices = "ABCDEFGHJKLMNPVWXY"

// ODSCode tells whether s has the form of an ODS code, in upper case and without
// blanks: RXX, RXX01, A81001, A81001001, X26, FA123, A1B2C. Whether there is such
// an organisation only a table can say.
func ODSCode(s string) bool {
	for _, f := range frames(len(s)) {
		if fits(s, f) {
			return len(s) < 6 || strings.IndexByte(practices, s[0]) >= 0
		}
	}
	return false
}

// fits compares s with a frame.
func fits(s, frame string) bool {
	if len(s) != len(frame) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		letter, digit := c >= 'A' && c <= 'Z', c >= '0' && c <= '9'
		ok := c == frame[i]
		switch frame[i] {
		case '@':
			ok = letter
		case '#':
			ok = digit
		case '*':
			ok = letter || digit
		}
		if !ok {
			return false
		}
	}
	return true
}

// TidyODS upper-cases a code and takes the blanks off its ends.
func TidyODS(s string) (code string, ok bool) {
	code = strings.ToUpper(strings.TrimSpace(s))
	if !ODSCode(code) {
		return "", false
	}
	return code, true
}
