// Package netrc reads ~/.netrc.
package netrc

import "strings"

// Find gives the user and password that the text of a netrc has for a host, or
// for any host that it does not name.
func Find(text, host string) (user, password string) {
	words := strings.Fields(text)
	here := false
	for i := 0; i < len(words); i++ {
		word := words[i]
		if word == "default" {
			here = here || user == ""
			continue
		}
		if i++; i == len(words) {
			break
		}
		switch {
		case word == "machine" && user != "":
			return user, password
		case word == "machine":
			here = words[i] == host
		case here && word == "login":
			user = words[i]
		case here && word == "password":
			password = words[i]
		}
	}
	return user, password
}
