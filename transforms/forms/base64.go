package forms

// Base64 tells whether s is base64 as RFC 4648 clause 4 has it: the standard
// alphabet, padded. Line ends within it are tolerated (RFC 2045 breaks lines).
func Base64(s string) bool {
	_, ok := Base64Size(s)
	return ok
}

// Base64Size is the number of bytes that s decodes to, found without decoding it:
// documents within messages have tens of megabytes.
func Base64Size(s string) (bytes int, ok bool) {
	digits, pads := 0, 0
	for i := range len(s) {
		c := s[i]
		switch {
		case c == '\r' || c == '\n':
		case c == '=':
			pads++
		case pads > 0 || !base64Digit(c):
			return 0, false
		default:
			digits++
		}
	}
	if digits == 0 || pads > 2 || (digits+pads)%4 != 0 {
		return 0, false
	}
	return digits * 3 / 4, true
}

func base64Digit(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/'
}
