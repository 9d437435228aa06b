package jinja

// Hashable is nil for what can be a key of a dict, and Python's error for what
// cannot: a list, a dict.
func Hashable(v any) error { return hashable(v) }
