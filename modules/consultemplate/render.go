// Package consultemplate renders consul-template's templates once, in process.
package consultemplate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/consul-template/config"
	"github.com/hashicorp/consul-template/dependency"
	"github.com/hashicorp/consul-template/template"
)

// Template is a template, and where what it asks for is found.
type Template struct {
	Name       string // for messages
	Text       string
	Left       string // delimiters; "" are {{ and }}
	Right      string
	Address    string // of the Consul agent: host:port or a URL
	Token      string
	SkipVerify bool // of the agent's certificate
}

// What these do is not seen by check mode, so templates go without.
var denied = []string{"plugin", "writeToFile"}

// The library logs through package log all it asks for and gets, secrets too.
var silence = sync.OnceFunc(func() { log.SetOutput(io.Discard) })

const pause = 250 * time.Millisecond

// Render renders t when all it asks for is there. When that is not before ctx
// ends, the error names what is missing.
func Render(ctx context.Context, t Template) ([]byte, error) {
	silence()
	clients, err := t.connect()
	if err != nil {
		return nil, err
	}
	defer clients.Stop()
	if t.Text == "" {
		return nil, nil
	}
	tmpl, err := template.NewTemplate(&template.NewTemplateInput{Contents: t.Text, ErrMissingKey: true, ErrFatal: true,
		LeftDelim: t.Left, RightDelim: t.Right, FunctionDenylist: denied})
	if err != nil {
		return nil, t.failure(err)
	}
	settings := config.DefaultConfig()
	settings.Finalize()
	brain := template.NewBrain()
	for {
		done, err := tmpl.Execute(&template.ExecuteInput{Brain: brain, Config: settings})
		if err != nil {
			return nil, t.failure(err)
		}
		missing := done.Missing.List()
		if len(missing) == 0 {
			return done.Output, nil
		}
		if err := learn(ctx, brain, clients, missing); err != nil {
			return nil, fmt.Errorf("template %s: %w", t.Name, err)
		}
	}
}

func (t Template) connect() (*dependency.ClientSet, error) {
	address, tls := t.Address, false
	if scheme, rest, ok := strings.Cut(t.Address, "://"); ok {
		address, tls = strings.TrimSuffix(rest, "/"), scheme == "https"
	}
	clients := dependency.NewClientSet()
	err := clients.CreateConsulClient(&dependency.CreateConsulClientInput{Address: address, Token: t.Token,
		SSLEnabled: tls, SSLVerify: !t.SkipVerify, TransportDialTimeout: 5 * time.Second})
	return clients, err
}

// failure leaves out what the library says of its own.
func (t Template) failure(err error) error {
	return errors.New(strings.ReplaceAll(strings.TrimPrefix(strings.TrimPrefix(err.Error(), "parse: "), "execute: "), "template: :", "template "+t.Name+":"))
}

// learn asks for the missing until at least one new thing is known.
func learn(ctx context.Context, brain *template.Brain, clients *dependency.ClientSet, missing []dependency.Dependency) error {
	for {
		var lacking []string
		for _, d := range missing {
			a := fetch(ctx, clients, d)
			switch {
			case a.err != nil:
				lacking = append(lacking, wording(d, a.err))
			case a.value == nil && a.needed:
				lacking = append(lacking, "there is no "+name(d))
			default:
				brain.Remember(d, a.value)
			}
		}
		if len(lacking) < len(missing) {
			return nil
		}
		select {
		case <-ctx.Done():
			sort.Strings(lacking)
			return errors.New(strings.Join(lacking, "; "))
		case <-time.After(pause):
		}
	}
}

type answer struct {
	value  any
	needed bool // a nil value is no value
	err    error
}

// fetch asks once. The library's calls know no context, so one that hangs is
// left behind.
func fetch(ctx context.Context, clients *dependency.ClientSet, d dependency.Dependency) answer {
	if kind := d.Type(); kind == dependency.TypeVault || kind == dependency.TypeNomad {
		return answer{err: errors.New("only Consul is asked, neither Vault nor Nomad")}
	}
	got := make(chan answer, 1)
	go func() {
		value, meta, err := d.Fetch(clients, &dependency.QueryOptions{})
		got <- answer{value, meta != nil && meta.BlockOnNil, err}
	}()
	select {
	case a := <-got:
		return a
	case <-ctx.Done():
		return answer{err: errors.New("no answer in time")}
	}
}

// wording says of a request that failed which it was.
func wording(d dependency.Dependency, err error) string {
	return name(d) + ": " + strings.TrimPrefix(err.Error(), d.String()+": ")
}

// name is what a request asks for in words: key a/b, service web.
func name(d dependency.Dependency) string {
	s := d.String()
	kind, rest, ok := strings.Cut(strings.TrimSuffix(s, ")"), "(")
	switch {
	case !ok:
		return s
	case kind == "kv.get" || kind == "kv.block":
		return "key " + rest
	case kind == "health.service":
		return "service " + strings.TrimSuffix(rest, "|passing")
	}
	return kind + " " + rest
}
