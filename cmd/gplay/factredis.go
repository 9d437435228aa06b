package main

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/gomodule/redigo/redis"

	"gplay/jinja"
)

// redisServer is what fact_caching_connection says of a Redis server, or of the
// sentinels that know the address of the service.
type redisServer struct {
	address   string
	sentinels []string
	service   string
	db        int
	password  string
	tls       bool
}

var redisForm = regexp.MustCompile(`^([^:]+|\[[^]]+\]):(\d+):(\d+)(?::(.*))?$`)

// parseRedis reads host:port:db:password, or host:port;host:port;db:password
// where service is the name of a sentinel's service. Its errors do not show the
// text, in which there may be a password.
func parseRedis(text, service string) (redisServer, error) {
	s := redisServer{service: service}
	text, s.tls = strings.CutPrefix(text, "tls://")
	if service != "" {
		return s.ofSentinels(text)
	}
	m := redisForm.FindStringSubmatch(text)
	if m == nil {
		return s, errors.New("fact_caching_connection must be host:port:db or host:port:db:password for the fact cache redis")
	}
	var err error
	if s.db, err = strconv.Atoi(m[3]); err != nil {
		return s, errors.New("the number of the database in fact_caching_connection is too large")
	}
	s.address, s.password = net.JoinHostPort(strings.Trim(m[1], "[]"), m[2]), m[4]
	return s, nil
}

func (s redisServer) ofSentinels(text string) (redisServer, error) {
	wrong := errors.New("fact_caching_connection must be host:port;host:port;db:password for the sentinels of the fact cache redis")
	parts := strings.Split(text, ";")
	last := len(parts) - 1
	if last == 0 {
		return s, wrong
	}
	for _, address := range parts[:last] {
		if _, _, err := net.SplitHostPort(address); err != nil {
			return s, wrong
		}
		s.sentinels = append(s.sentinels, address)
	}
	db, password, _ := strings.Cut(parts[last], ":")
	var err error
	if s.db, err = strconv.Atoi("0" + db); err != nil {
		return s, wrong
	}
	s.password = password
	return s, nil
}

const redisPatience = 10 * time.Second

func (s redisServer) dial() (redis.Conn, error) {
	address := s.address
	if s.service != "" {
		var err error
		if address, err = s.master(); err != nil {
			return nil, err
		}
	}
	return dialRedis(address, redis.DialDatabase(s.db), redis.DialPassword(s.password), redis.DialUseTLS(s.tls))
}

func dialRedis(address string, more ...redis.DialOption) (redis.Conn, error) {
	return redis.Dial("tcp", address, append(more, redis.DialConnectTimeout(redisPatience),
		redis.DialReadTimeout(redisPatience), redis.DialWriteTimeout(redisPatience))...)
}

// master is the address that the first sentinel that answers has of the
// service.
func (s redisServer) master() (string, error) {
	var all error
	for _, sentinel := range s.sentinels {
		address, err := askSentinel(sentinel, s.service)
		if err == nil {
			return address, nil
		}
		all = errors.Join(all, fmt.Errorf("sentinel %s: %w", sentinel, err))
	}
	return "", all
}

func askSentinel(sentinel, service string) (string, error) {
	conn, err := dialRedis(sentinel)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	found, err := redis.Strings(conn.Do("SENTINEL", "get-master-addr-by-name", service))
	if err != nil || len(found) != 2 {
		return "", fmt.Errorf("it knows no service %q", service)
	}
	return net.JoinHostPort(found[0], found[1]), nil
}

// redisFacts keeps facts as community.general.redis does: a host's JSON under
// prefix and name, and a sorted set of the names by the time they were written.
type redisFacts struct {
	pool           *redis.Pool
	prefix, keyset string
	timeout        int // in seconds, 0 is for ever
	warn           func(string)
}

func (c *config) redisFacts(server redisServer, warn func(string)) *redisFacts {
	return &redisFacts{
		pool:   &redis.Pool{MaxIdle: 5, Dial: server.dial},
		prefix: first(c.cachePrefix, "ansible_facts"), keyset: first(c.redisKeyset, "ansible_cache_keys"),
		timeout: c.cacheTimeout, warn: warn,
	}
}

// cacheFault is what keeps a run from its cache of facts.
type cacheFault struct{ error }

// reach finds out whether the server answers, so that it does not show in the
// middle of a play.
func (r *redisFacts) reach() error {
	conn := r.pool.Get()
	defer conn.Close()
	if _, err := conn.Do("PING"); err != nil {
		return cacheFault{fmt.Errorf("the fact cache redis does not answer: %w", err)}
	}
	return nil
}

func (r *redisFacts) Get(host string) *jinja.Dict {
	conn := r.pool.Get()
	defer conn.Close()
	text, err := r.read(conn, host)
	switch {
	case errors.Is(err, redis.ErrNil):
		return nil
	case err != nil:
		r.warn(fmt.Sprintf("the facts of %s could not be read: %v", host, err))
		return nil
	}
	return readFacts(text)
}

// read gives ErrNil of a host whose facts there are none of, or no more.
func (r *redisFacts) read(conn redis.Conn, host string) (string, error) {
	if r.timeout > 0 {
		if _, err := conn.Do("ZREMRANGEBYSCORE", r.keyset, 0, now()-float64(r.timeout)); err != nil {
			return "", err
		}
	}
	if _, err := redis.Int(conn.Do("ZRANK", r.keyset, host)); err != nil {
		return "", err
	}
	return redis.String(conn.Do("GET", r.prefix+host))
}

func (r *redisFacts) Set(host string, facts *jinja.Dict) error {
	text, err := factText(facts)
	if err != nil {
		return err
	}
	conn := r.pool.Get()
	defer conn.Close()
	set := []any{r.prefix + host, text}
	if r.timeout > 0 {
		set = append(set, "EX", r.timeout)
	}
	if _, err = conn.Do("SET", set...); err == nil {
		_, err = conn.Do("ZADD", r.keyset, now(), host)
	}
	return err
}

func (r *redisFacts) Delete(host string) error {
	conn := r.pool.Get()
	defer conn.Close()
	_, err := conn.Do("DEL", r.prefix+host)
	if err == nil {
		_, err = conn.Do("ZREM", r.keyset, host)
	}
	return err
}

// now is in seconds, as scores are.
func now() float64 { return float64(time.Now().UnixNano()) / 1e9 }
