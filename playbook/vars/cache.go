package vars

import (
	"gplay/jinja"
)

// FactCache keeps the facts of hosts from one run to the next, by their names
// as modules give them. It may be used by many at once.
type FactCache interface {
	// Get is nil where nothing is known of host. It is asked once a host.
	Get(host string) *jinja.Dict
	Set(host string, facts *jinja.Dict) error
	// Delete forgets a host; one that it does not know is no fault.
	Delete(host string) error
}

// cached are the facts that the cache has of a host that nothing is known of
// yet in this run.
func (s *Store) cached(host string) *hostVars {
	if s.Cache == nil {
		return nil
	}
	facts := s.Cache.Get(host)
	if facts == nil {
		return nil
	}
	return &hostVars{facts: unprefixed(facts), injected: Safe(facts), raw: facts}
}
