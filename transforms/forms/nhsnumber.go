package forms

import "strings"

// NHSNumber reads an NHS number: ten digits of which the last is the check digit
// (modulus 11, NHS Data Dictionary "NHS NUMBER"). Blanks around it, and blanks and
// dashes between its digits, are tolerated; digits is without them. Ten zeros pass
// the sum but are a way to say "none", so they are not ok.
func NHSNumber(s string) (digits string, ok bool) {
	digits, ok = tenDigits(s)
	if !ok || digits == "0000000000" {
		return "", false
	}
	check, ok := NHSCheckDigit(digits[:9])
	if !ok || check != digits[9] {
		return "", false
	}
	return digits, true
}

// tenDigits takes blanks and dashes out from between digits.
func tenDigits(s string) (string, bool) {
	s = strings.TrimSpace(s)
	var b [10]byte
	n := 0
	for i, r := range s {
		switch {
		case r >= '0' && r <= '9':
			if n == len(b) {
				return "", false
			}
			b[n] = byte(r)
			n++
		case !separator(r) || i == 0:
			return "", false
		}
	}
	if n != len(b) || s[len(s)-1] != b[9] {
		return "", false
	}
	return string(b[:]), true
}

// separator tells what people and word processors put between groups of digits.
func separator(r rune) bool {
	switch r {
	case ' ', '\t', '-', '\u00a0', '\u2009', '\u202f', '\u2010', '\u2011', '\u2012', '\u2013':
		return true
	}
	return false
}

// NHSCheckDigit is the tenth digit for the first nine. ok is false when nine is
// not nine digits, or when the sum gives 10: no number begins with those nine.
//
//	digit    9  9  9  0  0  0  0  0  1
//	weight  10  9  8  7  6  5  4  3  2     sum 245, 11 - 245 mod 11 = 8: 999 000 0018
func NHSCheckDigit(nine string) (digit byte, ok bool) {
	if len(nine) != 9 {
		return 0, false
	}
	sum := 0
	for i := range len(nine) {
		c := nine[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		sum += int(c-'0') * (10 - i)
	}
	switch r := 11 - sum%11; r {
	case 11:
		return '0', true
	case 10:
		return 0, false
	default:
		return '0' + byte(r), true
	}
}

// FormatNHSNumber writes a number as people read it: 999 000 0018. What is no NHS
// number gives "", false.
func FormatNHSNumber(s string) (string, bool) {
	d, ok := NHSNumber(s)
	if !ok {
		return "", false
	}
	return d[:3] + " " + d[3:6] + " " + d[6:], true
}
