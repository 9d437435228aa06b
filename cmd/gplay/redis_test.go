package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"

	"gplay/internal/consultest"
)

const redisPassword = "hush:hush"

// redisServers is a Redis server that asks for a password, the same one behind
// TLS, and a sentinel of it.
type redisServers struct {
	plain, tls, sentinel string // addresses
	cert                 string
	client               redis.Conn
}

func startRedis(t *testing.T) redisServers {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		msg := "redis-server, which keeps facts, is not installed: apt-get install redis-server python3-redis"
		if os.Getenv("CI") == "true" {
			t.Fatal(msg)
		}
		t.Skip(msg)
	}
	dir := t.TempDir()
	cert, key := certificate(t, dir)
	ports := consultest.FreePorts(t, 3)
	start := func(name, conf string, args ...string) {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(program, append([]string{file}, args...)...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	}
	start("redis.conf", fmt.Sprintf("bind 127.0.0.1\nport %d\nsave \"\"\ndir %s\nrequirepass %s\ntls-port %d\ntls-cert-file %s\ntls-key-file %s\ntls-auth-clients no\n",
		ports[0], dir, redisPassword, ports[1], cert, key))
	start("sentinel.conf", fmt.Sprintf("bind 127.0.0.1\nport %d\ndir %s\nsentinel monitor facts 127.0.0.1 %d 1\nsentinel auth-pass facts %s\n",
		ports[2], dir, ports[0], redisPassword), "--sentinel")
	s := redisServers{plain: fmt.Sprint("127.0.0.1:", ports[0]), tls: fmt.Sprint("localhost:", ports[1]), sentinel: fmt.Sprint("127.0.0.1:", ports[2]), cert: cert}
	s.client = answering(t, s.plain, redis.DialPassword(redisPassword))
	t.Cleanup(func() { _ = s.client.Close() })
	// With sentinels Ansible's password ends at a colon.
	part, _, _ := strings.Cut(redisPassword, ":")
	if _, err := s.client.Do("ACL", "SETUSER", "default", ">"+part); err != nil {
		t.Fatal(err)
	}
	_ = answering(t, s.sentinel).Close()
	return s
}

// answering waits until a server does.
func answering(t *testing.T, address string, options ...redis.DialOption) redis.Conn {
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		conn, err := dialRedis(address, options...)
		if err == nil {
			if _, err = conn.Do("PING"); err == nil {
				return conn
			}
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
}

func certificate(t *testing.T, dir string) (cert, key string) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "EC PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
}

// playWith runs a playbook with the cache that connection names.
func (s redisServers) playWith(t *testing.T, program, dir, connection string, words ...string) performance {
	r := newRun("site.yml", append([]string{"ANSIBLE_CACHE_PLUGIN=community.general.redis", "ANSIBLE_CACHE_PLUGIN_CONNECTION=" + connection}, words...))
	r.program, r.as = program, program
	r.env = append(r.env, "HOME="+dir, "PATH="+os.Getenv("PATH"), "SSL_CERT_FILE="+s.cert)
	p, err := perform(dir, r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// state is all that the server has. When it is known, the times are not told.
func (s redisServers) state(t *testing.T) string {
	keys, err := redis.Strings(s.client.Do("KEYS", "*"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(keys)
	var b strings.Builder
	for _, key := range keys {
		ttl, err := redis.Int(s.client.Do("TTL", key))
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s, ends: %t\n", key, ttl > 0)
		if text, err := redis.String(s.client.Do("GET", key)); err == nil {
			fmt.Fprintln(&b, text)
		} else if names, err := redis.Strings(s.client.Do("ZRANGE", key, 0, -1)); err == nil {
			fmt.Fprintln(&b, names)
		}
	}
	return b.String()
}

func (s redisServers) empty(t *testing.T) {
	if _, err := s.client.Do("FLUSHALL"); err != nil {
		t.Fatal(err)
	}
}

func redisPlaybooks(t *testing.T) string {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"hosts": "a ansible_connection=local n=1\nb ansible_connection=local n=2\n",
		"site.yml": `
- hosts: all
  gather_facts: false
  tasks:
    - set_fact: {n: "{{ n }}", text: "ü \u2028 \"quoted\" \\ \x01", list: [1, 2.5, 1e+20, null, true, {b: 1, a: []}], cacheable: true}
    - set_fact: {unkept: 1}
`,
		"read.yml": `
- hosts: all
  gather_facts: false
  tasks: [{debug: {msg: "{{ ansible_facts }} {{ n }}"}}]
`,
		"forget.yml": `
- hosts: a
  gather_facts: false
  tasks: [{meta: clear_facts}, {debug: {msg: "{{ ansible_facts }}"}}]
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestRedisFacts has gplay and Ansible read each other's facts, and leave the
// same on the server.
func TestRedisFacts(t *testing.T) {
	ansible := oracle(t)
	s := startRedis(t)
	dir := redisPlaybooks(t)
	at := s.plain + ":0:" + redisPassword
	for _, c := range []struct {
		name, connection string
		words            [][]string // what is run in turn, on what the runs before left
	}{
		{"facts", at, [][]string{{}, {"read.yml"}, {"forget.yml"}, {"--flush-cache", "read.yml"}}},
		{"names", at, [][]string{{"ANSIBLE_CACHE_PLUGIN_PREFIX=mine:", "ANSIBLE_CACHE_REDIS_KEYSET_NAME=names", "ANSIBLE_CACHE_PLUGIN_TIMEOUT=0"}}},
		{"one host forgotten", at, [][]string{{}, {"--flush-cache", "--limit", "a", "--list-hosts"}}},
		{"tls", "tls://" + s.tls + ":0:" + redisPassword, [][]string{{}, {"read.yml"}}},
		{"sentinel", s.sentinel + ";" + s.sentinel + ";0:" + redisPassword, [][]string{{"ANSIBLE_CACHE_REDIS_SENTINEL=facts"}, {"ANSIBLE_CACHE_REDIS_SENTINEL=facts", "read.yml"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			after := map[string][]string{}
			for _, program := range []string{ansible, "gplay"} {
				s.empty(t)
				for _, words := range c.words {
					words = append(slices.Clone(words), "-i", "hosts", "-vvv")
					p := s.playWith(t, program, dir, c.connection, words...)
					if p.Code != 0 {
						t.Fatalf("%s %v: %s%s", program, words, p.Output, p.Errors)
					}
					if program == "gplay" && strings.Contains(p.Output+p.Errors, redisPassword) {
						t.Errorf("the password is shown: %s%s", p.Output, p.Errors)
					}
					after[program] = append(after[program], s.state(t))
				}
			}
			for i, want := range after[ansible] {
				if got := after["gplay"][i]; got != want {
					t.Errorf("after run %d the server has otherwise than after Ansible's: gplay's +, Ansible's -\n%s", i+1, difference(want, got))
				}
			}
			if !strings.Contains(after[ansible][0], "quoted") {
				t.Errorf("Ansible left nothing: %s", after[ansible][0])
			}
		})
	}
	t.Run("read by the other", func(t *testing.T) {
		for writer, reader := range map[string]string{ansible: "gplay", "gplay": ansible} {
			s.empty(t)
			s.playWith(t, writer, dir, at, "-i", "hosts")
			want := s.playWith(t, writer, dir, at, "-i", "hosts", "read.yml")
			got := s.playWith(t, reader, dir, at, "-i", "hosts", "read.yml")
			if why := got.differs(want); why != "" || !strings.Contains(got.Output, "quoted") {
				t.Errorf("%s reads the facts of %s otherwise: %s\n%s", reader, writer, why, got.Output)
			}
		}
	})
	t.Run("too old", func(t *testing.T) {
		old := performance{}
		for _, program := range []string{ansible, "gplay"} {
			s.empty(t)
			s.playWith(t, program, dir, at, "-i", "hosts")
			if _, err := s.client.Do("ZADD", "ansible_cache_keys", 1, "a"); err != nil {
				t.Fatal(err)
			}
			p := s.playWith(t, program, dir, at, "-i", "hosts", "read.yml")
			if program == ansible {
				old = p
			} else if why := p.differs(old); why != "" {
				t.Error(why)
			}
		}
	})
}

// TestRedisRefused tells what is wrong with a connection, and not with which
// password it was tried. Ansible notices in the middle of the first play what
// gplay says before it.
func TestRedisRefused(t *testing.T) {
	ansible := oracle(t)
	s := startRedis(t)
	dir := redisPlaybooks(t)
	nobody := fmt.Sprint("127.0.0.1:", consultest.FreePorts(t, 1)[0])
	for _, c := range []struct{ connection, says string }{
		{s.plain + ":0:not" + redisPassword, "invalid username-password pair"},
		{s.plain + ":0", "Authentication required"},
		{s.plain + ":99:" + redisPassword, "DB index is out of range"},
		{nobody + ":0:" + redisPassword, "connection refused"},
		{redisPassword, "fact_caching_connection must be"},
		{"", "fact_caching_connection must be"},
	} {
		want := s.playWith(t, ansible, dir, c.connection, "-i", "hosts")
		got := s.playWith(t, "gplay", dir, c.connection, "-i", "hosts", "-vvv")
		if got.Code != want.Code || !strings.Contains(got.Errors, c.says) {
			t.Errorf("%s: exit code %d, Ansible's %d: %s%s", c.connection, got.Code, want.Code, got.Errors, want.Errors)
		}
		if strings.Contains(got.Output+got.Errors, redisPassword) {
			t.Errorf("the password is shown: %s%s", got.Output, got.Errors)
		}
	}
}
