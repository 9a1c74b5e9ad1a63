package feedtest

import "bytes"

// pair is a line of what was expected beside the line of what came; nil where
// the other has none.
type pair struct{ want, got []byte }

// mostAligned bounds the work of aligning; longer texts are compared line by line.
const mostAligned = 500

// align lays two lists of lines side by side: equal lines together first, then
// lines of the same id, so that one segment too many shifts nothing.
func align(want, got [][]byte, id func([]byte) string) []pair {
	head := 0
	for head < len(want) && head < len(got) && bytes.Equal(want[head], got[head]) {
		head++
	}
	var out []pair
	for i := range head {
		out = append(out, pair{want[i], got[i]})
	}
	want, got = want[head:], got[head:]
	if len(want) > mostAligned || len(got) > mostAligned {
		return append(out, sideBySide(want, got)...)
	}
	return append(out, best(want, got, id)...)
}

func sideBySide(want, got [][]byte) []pair {
	var out []pair
	for i := range max(len(want), len(got)) {
		out = append(out, pair{at(want, i), at(got, i)})
	}
	return out
}

// best finds the alignment of greatest likeness.
func best(want, got [][]byte, id func([]byte) string) []pair {
	a, b := linesOf(want, id), linesOf(got, id)
	score := make([][]int, len(want)+1)
	for i := range score {
		score[i] = make([]int, len(got)+1)
	}
	for i := len(want) - 1; i >= 0; i-- {
		for j := len(got) - 1; j >= 0; j-- {
			score[i][j] = max(score[i+1][j], score[i][j+1], score[i+1][j+1]+likeness(&a[i], &b[j]))
		}
	}
	var out []pair
	i, j := 0, 0
	for i < len(want) && j < len(got) {
		like := likeness(&a[i], &b[j])
		switch {
		case like > 0 && score[i][j] == score[i+1][j+1]+like:
			out = append(out, pair{want[i], got[j]})
			i, j = i+1, j+1
		case score[i][j] == score[i+1][j]:
			out = append(out, pair{want[i], nil})
			i++
		default:
			out = append(out, pair{nil, got[j]})
			j++
		}
	}
	return append(out, rest(want[i:], got[j:])...)
}

// line is what is compared of a line.
type line struct {
	text []byte
	id   string
}

func linesOf(texts [][]byte, id func([]byte) string) []line {
	out := make([]line, len(texts))
	for i, t := range texts {
		out[i] = line{t, id(t)}
	}
	return out
}

// rest is what is left when one side has ended.
func rest(want, got [][]byte) []pair {
	var out []pair
	for _, w := range want {
		out = append(out, pair{w, nil})
	}
	for _, g := range got {
		out = append(out, pair{nil, g})
	}
	return out
}

// likeness of two lines: equal, the same segment with the same beginning (a set
// id), the same segment, or not alike.
func likeness(a, b *line) int {
	switch {
	case a.id != b.id:
		return 0
	case bytes.Equal(a.text, b.text):
		return 8
	case bytes.Equal(prefix(a.text), prefix(b.text)):
		return 4
	}
	return 3
}

func prefix(line []byte) []byte { return line[:min(len(line), 6)] }
