package xmldoc

import "strings"

// LooksLike tells whether a text is plainly meant as XPath and not as a selector
// of HL7 v2, whatever else may be wrong with it. It serves the messages of
// problems, such as "this is a selector of XML, but messages here are hl7".
//
//	XML:  /v:Batch/@id   //Result   v:Panel/v:Code   .   @id   count(//a)   r/@id
//	HL7:  PID-3(5=NH).1  OBX(*)-5   OBR(#2)/OBX(*)-5   obx-5   ord/OBR-4.1
func LooksLike(text string) bool {
	s := strings.TrimSpace(text)
	if s == "" {
		return false
	}
	if strings.IndexByte("/.@", s[0]) >= 0 || strings.Contains(s, "::") || strings.ContainsAny(s, "[@|") {
		return true
	}
	for _, f := range []string{"count(", "string(", "boolean(", "concat(", "not(", "normalize-space(", "sum(", "number(", "text(", "node("} {
		if strings.HasPrefix(s, f) {
			return true
		}
	}
	for i, part := range strings.Split(s, "/") {
		if prefixed(part) || i > 0 && !segmentLike(part) {
			return true
		}
	}
	return false
}

// prefixed: p:name, p:*.
func prefixed(s string) bool {
	end := ncName([]byte(s), 0)
	return end > 0 && end+1 < len(s) && s[end] == ':' && (s[end+1] == '*' || ncName([]byte(s), end+1) > end+1)
}

// segmentLike: three capital letters or digits, as the ids of segments are, and
// then nothing that goes on with a name.
func segmentLike(s string) bool {
	if len(s) < 3 {
		return false
	}
	for i := range 3 {
		if c := s[i]; (c < 'A' || c > 'Z') && (i == 0 || !digit(c)) {
			return false
		}
	}
	return len(s) == 3 || s[3] == '-' || s[3] == '('
}
