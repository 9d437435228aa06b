package lookups

import (
	"cmp"
	"fmt"
	"net"
	neturl "net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/consul/api"

	"gplay/jinja"
)

// consulKV gives values of Consul's store. A term is a key and, behind it, some
// of the options.
func consulKV(c *Context, terms []any, options *jinja.Dict) ([]any, error) {
	return each(terms, lacks("split"), func(term string) ([]any, error) {
		key, merged, err := consulTerm(term, options)
		if err != nil {
			return nil, err
		}
		o := read(c, merged, "recurse", "index", "datacenter", "token", "host", "port", "scheme", "validate_certs", "client_cert", "url")
		kv, err := consulStore(o)
		if err != nil {
			return nil, err
		}
		query := (&api.QueryOptions{Datacenter: o.text("datacenter", ""), WaitIndex: uint64(o.int("index", 0))}).WithContext(c)
		recurse := o.truth("recurse", false)
		if o.err != nil {
			return nil, o.err
		}
		var pairs api.KVPairs
		if recurse {
			pairs, _, err = kv.List(key, query)
		} else {
			var pair *api.KVPair
			if pair, _, err = kv.Get(key, query); pair != nil {
				pairs = api.KVPairs{pair}
			}
		}
		if err != nil {
			return nil, fmt.Errorf("Error locating '%s' in kv store. Error was %w", term, err)
		}
		var values []any
		for _, pair := range pairs {
			values = append(values, cmp.Or(string(pair.Value), "None")) // Ansible's text of nothing
		}
		return values, nil
	})
}

var consulEnvironment = map[string]string{
	"url": "ANSIBLE_CONSUL_URL", "validate_certs": "ANSIBLE_CONSUL_VALIDATE_CERTS", "client_cert": "ANSIBLE_CONSUL_CLIENT_CERT",
}

func consulTerm(term string, options *jinja.Dict) (key string, merged *jinja.Dict, err error) {
	words := strings.Split(term, " ")
	key, merged = words[0], options.Copy()
	for option, variable := range consulEnvironment {
		value := os.Getenv(variable)
		if _, given := options.Get(option); !given && value != "" {
			merged.Set(option, value)
		}
	}
	for _, word := range words[1:] {
		name, value, found := strings.Cut(word, "=")
		switch {
		case word == "":
		case !found || strings.Contains(value, "="):
			return "", nil, fmt.Errorf("%q is not name=value", word)
		case name == "key":
			key = value
		case slices.Contains([]string{"token", "recurse", "index", "datacenter"}, name):
			merged.Set(name, value)
		default:
			return "", nil, fmt.Errorf("%s not a valid consul lookup parameter", name)
		}
	}
	return key, merged, nil
}

func consulStore(o *settings) (*api.KV, error) {
	config := api.DefaultConfig() // CONSUL_HTTP_ADDR and its like count
	host, port, scheme := o.text("host", ""), o.int("port", 0), o.text("scheme", "")
	if text := o.text("url", ""); text != "" {
		u, err := neturl.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("the option url is wrong: %w", err)
		}
		host, scheme = u.Hostname(), cmp.Or(u.Scheme, scheme)
		if n, err := strconv.Atoi(u.Port()); err == nil {
			port = n
		}
	}
	if host != "" || port != 0 {
		host = strings.Trim(cmp.Or(host, "localhost"), "[]")
		config.Address = net.JoinHostPort(host, strconv.Itoa(cmp.Or(port, 8500)))
	}
	config.Scheme = cmp.Or(scheme, config.Scheme)
	config.Token = o.text("token", config.Token)
	config.TLSConfig.InsecureSkipVerify = !o.truth("validate_certs", true)
	if cert := o.text("client_cert", ""); cert != "" {
		config.TLSConfig.CertFile, config.TLSConfig.KeyFile = cert, cert
	}
	client, err := api.NewClient(config)
	if err != nil {
		return nil, err
	}
	return client.KV(), nil
}
