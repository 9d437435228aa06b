package compose

import (
	"strings"
	"testing"
)

func TestIsV1(t *testing.T) {
	tests := []struct {
		name, text string
		want       bool
	}{
		{"of 2015", "db:\n  image: mongo\n", true},
		{"build only", "app:\n  build: .\n", true},
		{"said so", "version: '1'\ndb:\n  image: mongo\n", true},
		{"a service called version", "version:\n  image: x\n", true},
		{"version 2", "version: '2'\nservices:\n  db: {image: mongo}\n", false},
		{"today's", "services:\n  db: {image: mongo}\n", false},
		{"a fault for Compose to tell", "version: '3'\ndb:\n  image: mongo\n", false},
		{"only volumes", "volumes:\n  data: {}\n", false},
		{"empty", "", false},
	}
	for _, tt := range tests {
		if got, err := IsV1([]byte(tt.text)); got != tt.want || err != nil {
			t.Errorf("%s: got %v, %v", tt.name, got, err)
		}
	}
	if _, err := IsV1([]byte("a: [")); err == nil {
		t.Error("broken YAML passes")
	}
}

func TestTranslate(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"default network", "db:\n  image: mongo\n  ports: ['27017']\n",
			"services:\n  db:\n    image: mongo\n    network_mode: bridge\n    ports:\n    - \"27017\"\n"},
		{"net", "a:\n  image: x\n  net: host\n", "services:\n  a:\n    image: x\n    network_mode: host\n"},
		{"net of a service", "a:\n  image: x\nb:\n  image: z\n  net: container:a\n",
			"services:\n  a:\n    image: x\n    network_mode: bridge\n  b:\n    image: z\n    network_mode: service:a\n"},
		{"net of a container", "a:\n  image: x\n  net: container:z\n", "services:\n  a:\n    image: x\n    network_mode: container:z\n"},
		{"dockerfile", "a:\n  build: ./x\n  dockerfile: D\n",
			"services:\n  a:\n    build:\n      context: ./x\n      dockerfile: D\n    network_mode: bridge\n"},
		{"logging", "a:\n  image: x\n  log_driver: syslog\n  log_opt: {tag: t}\n",
			"services:\n  a:\n    image: x\n    logging:\n      driver: syslog\n      options:\n        tag: t\n    network_mode: bridge\n"},
		{"volumes_from", "a:\n  image: x\nb:\n  image: z\n  volumes_from: [a:ro, data]\n",
			"services:\n  a:\n    image: x\n    network_mode: bridge\n  b:\n    image: z\n    network_mode: bridge\n    volumes_from:\n    - a:ro\n    - container:data\n"},
		{"version", "version: '1'\na:\n  image: x\n", "services:\n  a:\n    image: x\n    network_mode: bridge\n"},
	}
	for _, tt := range tests {
		got, err := Translate([]byte(tt.in))
		text := strings.ReplaceAll(string(got), "    - ", "    - ")
		if normal(text) != normal(tt.want) || err != nil {
			t.Errorf("%s: got\n%s%v\nwant\n%s", tt.name, got, err, tt.want)
		}
	}
}

// normal is YAML without the encoder's indentation.
func normal(s string) string { return strings.Join(strings.Fields(s), " ") }

func TestTranslateSeveral(t *testing.T) {
	got, err := Translate([]byte("a:\n  image: x\n  net: host\n"), []byte("a:\n  environment: [B=1]\n"))
	want := "services: a: image: x network_mode: host --- services: a: environment: - B=1"
	if normal(string(got)) != want || err != nil {
		t.Errorf("got %q, %v", normal(string(got)), err)
	}
}

func TestTranslateRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"a:\n  image: x\n  volume_driver: d\n":       "service a: volume_driver has no counterpart in today's format: name the volume and its driver under volumes",
		"a:\n  extends: {file: b.yml, service: c}\n": "service a: extends of another file (b.yml) in the format of 2015 cannot be translated: write the service out",
		"a: 1\n": "service a is no dictionary",
	} {
		if _, err := Translate([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestSelected(t *testing.T) {
	p, err := Parse([]byte("name: x\nservices:\n  web: {depends_on: [app], image: w}\n  app: {depends_on: {db: {condition: service_started}}, image: a}\n  db: {image: d}\n  old: {links: ['db:database'], image: o}\n"))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		names []string
		deps  bool
		want  string
	}{
		{nil, false, "app db old web"},
		{[]string{"web"}, false, "web"},
		{[]string{"web"}, true, "app db web"},
		{[]string{"old"}, true, "db old"},
	}
	for _, tt := range tests {
		got, err := p.Selected(tt.names, tt.deps)
		if strings.Join(got, " ") != tt.want || err != nil {
			t.Errorf("%v: got %v, %v", tt.names, got, err)
		}
	}
	if _, err := p.Selected([]string{"wbe"}, true); err == nil || err.Error() != "No such service: wbe" {
		t.Errorf("got %v", err)
	}
}
