package main

import (
	"fmt"
	"strings"
)

// unified shows two texts as a unified diff with three lines of context.
func unified(name, a, b string) string {
	x, y := strings.SplitAfter(a, "\n"), strings.SplitAfter(b, "\n")
	edits := lineEdits(x, y)
	var out strings.Builder
	fmt.Fprintf(&out, "--- %s\n+++ %s (formatted)\n", name, name)
	for from := 0; from < len(edits); {
		if edits[from].sign == ' ' {
			from++
			continue
		}
		start, end := max(0, from-3), from
		for i := from; i < len(edits) && i <= end+6; i++ {
			if edits[i].sign != ' ' {
				end = i
			}
		}
		end = min(len(edits), end+4)
		hunk(&out, edits[start:end])
		from = end
	}
	return out.String()
}

// edit is one line of a diff: kept, taken away, or added, with the numbers it has in
// both texts, from 1.
type edit struct {
	sign byte
	text string
	a, b int
}

func hunk(out *strings.Builder, edits []edit) {
	as, bs := 0, 0
	for _, e := range edits {
		if e.sign != '+' {
			as++
		}
		if e.sign != '-' {
			bs++
		}
	}
	fmt.Fprintf(out, "@@ -%d,%d +%d,%d @@\n", edits[0].a, as, edits[0].b, bs)
	for _, e := range edits {
		fmt.Fprintf(out, "%c%s\n", e.sign, strings.TrimRight(e.text, "\r\n"))
	}
}

// lineEdits finds the longest common subsequence of lines by a table of lengths;
// project files have hundreds of lines, not more.
func lineEdits(x, y []string) []edit {
	long := make([][]int, len(x)+1)
	for i := range long {
		long[i] = make([]int, len(y)+1)
	}
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			if x[i] == y[j] {
				long[i][j] = long[i+1][j+1] + 1
			} else {
				long[i][j] = max(long[i+1][j], long[i][j+1])
			}
		}
	}
	var out []edit
	for i, j := 0, 0; i < len(x) || j < len(y); {
		switch {
		case i < len(x) && j < len(y) && x[i] == y[j]:
			if x[i] != "" { // behind the last line end
				out = append(out, edit{' ', x[i], i + 1, j + 1})
			}
			i, j = i+1, j+1
		case i < len(x) && (j == len(y) || long[i+1][j] >= long[i][j+1]):
			if x[i] != "" {
				out = append(out, edit{'-', x[i], i + 1, j + 1})
			}
			i++
		default:
			if y[j] != "" {
				out = append(out, edit{'+', y[j], i + 1, j + 1})
			}
			j++
		}
	}
	return out
}
