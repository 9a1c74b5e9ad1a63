package xmldoc

import (
	"bytes"
	"unicode/utf8"
)

// value is the string-value of a node (XPath 1.0 section 5).
func (d *Doc) value(i uint32) string {
	n := d.at(i)
	switch n.kind {
	case kElement, kRoot:
		if f := n.first; f != 0 && d.at(f).kind == kText && d.at(f).next == 0 {
			return d.value(f)
		}
		return string(d.appendValue(nil, i))
	case kText:
		if raw := d.raw(n); isPlain(raw) {
			return string(raw)
		}
		return string(appendText(nil, d.raw(n)))
	case kAttr, kDecl:
		from, to := d.between(n)
		return string(appendAttribute(nil, d.buffer(n)[from:to]))
	case kComment:
		raw := d.raw(n)
		return string(raw[4 : len(raw)-3])
	case kPI:
		raw := d.raw(n)
		return string(bytes.TrimLeft(raw[2+n.name:len(raw)-2], " \t\r\n"))
	}
	return ""
}

// appendValue appends all text below an element.
func (d *Doc) appendValue(dst []byte, top uint32) []byte {
	for i := d.following(top, top); i != 0; i = d.following(i, top) {
		if n := d.at(i); n.kind == kText {
			dst = appendText(dst, d.raw(n))
		}
	}
	return dst
}

// hasValue tells whether the string-value is anything but "".
func (d *Doc) hasValue(i uint32) bool {
	n := d.at(i)
	if n.kind != kElement && n.kind != kRoot {
		return d.value(i) != ""
	}
	for k := d.following(i, i); k != 0; k = d.following(k, i) {
		if n := d.at(k); n.kind == kText && (isPlain(d.raw(n)) || d.value(k) != "") {
			return true
		}
	}
	return false
}

// isPlain: the bytes are their own text.
func isPlain(raw []byte) bool {
	for _, c := range raw {
		if c == '&' || c == '<' || c == '\r' {
			return false
		}
	}
	return true
}

// appendText decodes references, CDATA sections and line ends (XML 1.0 section 2.11).
func appendText(dst, raw []byte) []byte {
	for i := 0; i < len(raw); {
		switch c := raw[i]; {
		case c == '&':
			r, n := reference(raw[i:])
			dst = utf8.AppendRune(dst, r)
			i += n
		case c == '<': // <![CDATA[ ... ]]>
			end := bytes.Index(raw[i:], []byte("]]>"))
			dst = appendLines(dst, raw[i+9:i+end])
			i += end + 3
		default:
			end := bytes.IndexAny(raw[i:], "&<")
			if end < 0 {
				end = len(raw) - i
			}
			dst = appendLines(dst, raw[i:i+end])
			i += end
		}
	}
	return dst
}

// appendLines makes one line feed of CR LF and of CR.
func appendLines(dst, raw []byte) []byte {
	for i, c := range raw {
		switch {
		case c != '\r':
			dst = append(dst, c)
		case i+1 == len(raw) || raw[i+1] != '\n':
			dst = append(dst, '\n')
		}
	}
	return dst
}

// appendAttribute decodes references and makes spaces of white space (section 3.3.3).
func appendAttribute(dst, raw []byte) []byte {
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '&':
			r, n := reference(raw[i:])
			dst = utf8.AppendRune(dst, r)
			i += n - 1
		case c == '\r' && i+1 < len(raw) && raw[i+1] == '\n': // one line end
		case isSpace(c):
			dst = append(dst, ' ')
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
