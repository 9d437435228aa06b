package source

import (
	"fmt"
	"sort"
	"strings"
)

// Nearest gives the candidate that name is most likely a misspelling of, or ""
// when none is close.
func Nearest(name string, candidates []string) string {
	best, bestCost := "", len([]rune(name))/3+1
	sorted := append([]string(nil), candidates...)
	sort.Strings(sorted)
	for _, c := range sorted {
		if c == name || c == "" {
			continue
		}
		cost := distance(strings.ToLower(name), strings.ToLower(c))
		if cost < bestCost || best == "" && cost == bestCost {
			best, bestCost = c, cost
		}
	}
	if best != "" && bestCost >= max(len([]rune(name)), len([]rune(best))) {
		return "" // nothing in common
	}
	return best
}

// DidYouMean is the hint that names the nearest candidate, or "".
func DidYouMean(name string, candidates []string) string {
	if n := Nearest(name, candidates); n != "" {
		return fmt.Sprintf("did you mean %q?", n)
	}
	return ""
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours that lead from a to b.
func distance(a, b string) int {
	s, t := []rune(a), []rune(b)
	rows := make([][]int, len(s)+1)
	for i := range rows {
		rows[i] = make([]int, len(t)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(s); i++ {
		for j := 1; j <= len(t); j++ {
			replace := rows[i-1][j-1]
			if s[i-1] != t[j-1] {
				replace++
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, replace)
			if i > 1 && j > 1 && s[i-1] == t[j-2] && s[i-2] == t[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(s)][len(t)]
}
