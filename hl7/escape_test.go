package hl7

import (
	"errors"
	"testing"
)

func TestUnescapeText(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"all delimiters", `1\F\2\S\3\T\4\R\5\E\6`, `1|2^3&4~5\6`},
		{"once only", `\E\F\E\`, `\F\`},
		{"lone", `\`, `\`},
		{"two", `\\`, `\\`},
		{"unterminated", `a\F`, `a\F`},
		{"at the end", `a\F\`, `a|`},
		{"path", `D:\Share\Scan`, `D:\Share\Scan`},
		{"stray then real", `5\6 \F\`, `5\6 |`},
		{"hex", `\X4142\`, "AB"},
		{"hex either case", `\X0d\\X0A\`, "\r\n"},
		{"hex UTF-8", `\XC3BC\`, "ü"},
		{"hex not UTF-8", `\XFC\`, "ü"},
		{"hex odd", `\X414\`, `\X414\`},
		{"hex empty", `\X\`, `\X\`},
		{"not hex", `\Xyz\`, `\Xyz\`},
		{"break", `a\.br\b`, "a\nb"},
		{"other formatting", `\.sp+3\\.in-4\\.ce\`, `\.sp+3\\.in-4\\.ce\`},
		{"highlight then delimiter letter", `\H\F\N\`, `\H\F\N\`},
		{"character set switches", `\C2842\\M824041\`, `\C2842\\M824041\`},
		{"local", `\Zq9\`, `\Zq9\`},
		{"truncation not declared", `a\P\b`, `a\P\b`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := UnescapeText(tt.in, StandardDelimiters()); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if got := UnescapeText(`a\P\b`, delims(`^~\&#`)); got != "a#b" {
		t.Errorf("truncation: got %q", got)
	}
	if got := UnescapeText(`a\F\b`, delims(`^~`)); got != `a\F\b` {
		t.Errorf("no escape character: got %q", got)
	}
}

func TestEscapeText(t *testing.T) {
	tests := []struct{ name, in, msh2, want string }{
		{"plain", "Ünï <b>#", `^~\&`, "Ünï <b>#"},
		{"all", `|^~\&`, `^~\&`, `\F\\S\\R\\E\\T\`},
		{"truncation", "#", `^~\&#`, `\P\`},
		{"control", "\x00\t\r\n\x1f\x7f", `^~\&`, "\\X00\\\\X09\\\\X0D\\\\X0A\\\\X1F\\\x7f"},
		{"own set", `^*|@`, `*!@%`, `^@S@@F@@E@`},
		{"looks like an escape", `\.br\`, `^~\&`, `\E\.br\E\`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := delims(tt.msh2)
			got, err := EscapeText(tt.in, d)
			if err != nil || got != tt.want {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
			if back := UnescapeText(got, d); back != tt.in {
				t.Errorf("back: %q", back)
			}
		})
	}
	var ue *UnfitError
	if _, err := EscapeText("a|b", delims(`^~`)); !errors.As(err, &ue) || ue.Characters != 1 {
		t.Errorf("got %v", err)
	}
}
