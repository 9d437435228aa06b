package lookups

import (
	"fmt"
	neturl "net/url"
	"strings"

	"github.com/hashicorp/consul/api"

	"gplay/jinja"
)

// consulKV gives values of Consul's store.
func consulKV(c *Context, terms []any, options *jinja.Dict) ([]any, error) {
	return each(terms, func(term string) ([]any, error) {
		key, merged, err := inline(term, options)
		if err != nil {
			return nil, err
		}
		o := read(merged, "recurse", "index", "datacenter", "token", "host", "port", "scheme", "validate_certs", "client_cert", "url")
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
			values = append(values, string(pair.Value))
		}
		return values, nil
	})
}

func consulStore(o *settings) (*api.KV, error) {
	config := api.DefaultConfig() // CONSUL_HTTP_ADDR and its like count
	host, port, scheme := o.text("host", ""), o.int("port", 0), o.text("scheme", "")
	if text := o.text("url", ""); text != "" {
		u, err := neturl.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("the option url is wrong: %w", err)
		}
		config.Address, config.Scheme = u.Host, u.Scheme
	}
	if host != "" || port != 0 {
		if host == "" {
			host = "localhost"
		}
		if port == 0 {
			port = 8500
		}
		config.Address = fmt.Sprintf("%s:%d", strings.Trim(host, "[]"), port)
	}
	if scheme != "" {
		config.Scheme = scheme
	}
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
