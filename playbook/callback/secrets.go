package callback

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
)

// Secrets are texts that no output shows, wherever they come from. It may be
// used by many at once.
type Secrets struct {
	mu    sync.RWMutex
	texts []string // longest first
}

// shortest is how long a secret must be: the letters of a shorter one are in
// too many words for hiding them to hide anything.
const shortest = 4

// Add hides text from now on.
func (s *Secrets) Add(text string) {
	if len(text) < shortest {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, form := range []string{text, quoted(text)} {
		if !slices.Contains(s.texts, form) {
			s.texts = append(s.texts, form)
		}
	}
	slices.SortFunc(s.texts, func(a, b string) int { return len(b) - len(a) })
}

// quoted is text as it stands within JSON.
func quoted(text string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(text) != nil {
		return text
	}
	return strings.TrimSuffix(strings.TrimPrefix(b.String(), `"`), "\"\n")
}

// hide replaces the secrets in text; a nil s has none.
func (s *Secrets) hide(text string) string {
	if s == nil {
		return text
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, secret := range s.texts {
		text = strings.ReplaceAll(text, secret, "********")
	}
	return text
}
