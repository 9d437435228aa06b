package consultemplate

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// fakeConsul answers for the key color, the service web, and from the second
// time on for the key late.
func fakeConsul(t *testing.T) string {
	var asked atomic.Int32
	mux := http.NewServeMux()
	key := func(w http.ResponseWriter, value string) {
		json.NewEncoder(w).Encode([]map[string]any{{"Key": "k", "Value": base64.StdEncoding.EncodeToString([]byte(value))}})
	}
	mux.HandleFunc("/v1/kv/color", func(w http.ResponseWriter, r *http.Request) { key(w, "blue") })
	mux.HandleFunc("/v1/kv/late", func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) < 2 {
			http.NotFound(w, r)
			return
		}
		key(w, "here")
	})
	mux.HandleFunc("/v1/kv/secret", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Consul-Token") != "t0ken" {
			http.Error(w, "Permission denied", http.StatusForbidden)
			return
		}
		key(w, "s3cret")
	})
	mux.HandleFunc("/v1/health/service/web", func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte(`[{"Node":{"Node":"n","Address":"10.0.0.1"},"Service":{"ID":"web","Service":"web","Port":80},"Checks":[]}]`))
	})
	mux.HandleFunc("/v1/health/service/none", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte(`[]`)) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL
}

func TestRender(t *testing.T) {
	address := fakeConsul(t)
	tests := []struct{ name, text, want, err string }{
		{"plain", "as is\n", "as is\n", ""},
		{"empty", "", "", ""},
		{"key", `color: {{ key "color" }}`, "color: blue", ""},
		{"key in a key", `{{ if eq (key "color") "blue" }}{{ key "late" }}{{ end }}`, "here", ""},
		{"default", `{{ keyOrDefault "absent" "green" }}`, "green", ""},
		{"service", `{{ range service "web" "any" }}server {{ .Address }}:{{ .Port }};{{ end }}`, "server 10.0.0.1:80;", ""},
		{"no service", `[{{ range service "none" }}x{{ end }}]`, "[]", ""},
		{"absent key", `{{ key "absent" }} {{ key "color" }}`, "", "template t: there is no key absent"},
		{"refused", `{{ key "secret" }}`, "", "template t: key secret: Unexpected response code: 403 (Permission denied)"},
		{"syntax", "{{ if }}", "", "template t:1: missing value for if"},
		{"unknown function", `{{ kee "color" }}`, "", `template t:1: function "kee" not defined`},
		{"denied function", `{{ plugin "id" }}`, "", `template t:1:3: executing "" at <plugin "id">: error calling plugin: function is disabled`},
		{"vault", `{{ with secret "a/b" }}x{{ end }}`, "", "template t: vault.read a/b: only Consul is asked, neither Vault nor Nomad"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 600*time.Millisecond)
			defer cancel()
			got, err := Render(ctx, Template{Name: "t", Text: tt.text, Address: address})
			if string(got) != tt.want || message(err) != tt.err {
				t.Errorf("got %q, error %q; want %q, error %q", got, message(err), tt.want, tt.err)
			}
		})
	}
}

func TestRenderDelimitersAndToken(t *testing.T) {
	got, err := Render(t.Context(), Template{Text: `{{ x }} [[ key "secret" ]]`, Left: "[[", Right: "]]",
		Address: strings.TrimPrefix(fakeConsul(t), "http://"), Token: "t0ken"})
	if string(got) != "{{ x }} s3cret" || err != nil {
		t.Errorf("got %q, error %v", got, err)
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
