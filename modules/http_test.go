package modules_test

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gplay/modules"
	"gplay/modules/moduletest"
)

func TestGetURL(t *testing.T) { moduletest.Run(t, modules.GetURL, servers(t)) }
func TestURI(t *testing.T)    { moduletest.Run(t, modules.URI, servers(t)) }

func TestUnarchive(t *testing.T) { moduletest.Run(t, modules.Unarchive, servers(t)) }

// tgz is an archive of the file f.
func tgz(t *testing.T) string {
	var out strings.Builder
	z := gzip.NewWriter(&out)
	a := tar.NewWriter(z)
	header := &tar.Header{Name: "f", Mode: 0o644, Size: 4, ModTime: time.Unix(1577934245, 0), Uid: os.Getuid(), Gid: os.Getgid()}
	if err := a.WriteHeader(header); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(a, "new\n"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(a.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// servers answers on $URL (its host is $HOST), $TLS and the socket $SOCKET; nobody answers on
// $CLOSED.
func servers(t *testing.T) moduletest.Vars {
	mux := http.NewServeMux()
	answer := func(path, text string) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, text) })
	}
	answer("/files/new.txt", "new\n")
	answer("/files/other.txt", "other\n")
	answer("/a.tgz", tgz(t))
	answer("/sums", "281bac2b704617e807850e07e54bae3469f6a2e7  old.txt\n389cc6b7ae5a659383eab5dfc253764eccf84732 *./new.txt\n")
	mux.Handle("/moved", http.RedirectHandler("/files/new.txt", http.StatusFound))
	mux.HandleFunc("/unmodified", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-Modified-Since") == "" {
			http.Error(w, "there is no If-Modified-Since", http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNotModified)
	})
	mux.HandleFunc("/secret", func(w http.ResponseWriter, r *http.Request) {
		user, password, ok := r.BasicAuth()
		if !ok || password != "pass1234" {
			w.Header().Set("WWW-Authenticate", `Basic realm="here"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(w, "secret of %s\n", user)
	})
	mux.HandleFunc("/json", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		http.SetCookie(w, &http.Cookie{Name: "k", Value: "v"})
		io.WriteString(w, `{"a":[1,2.5,null,true],"b":"ü"}`)
	})
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s\n", r.Method, r.Header.Get("Content-Type"))
		io.Copy(w, r.Body)
	})
	plain := httptest.NewServer(mux)
	t.Cleanup(plain.Close)
	tls := httptest.NewUnstartedServer(mux)
	tls.Config.ErrorLog = log.New(io.Discard, "", 0) // a refused certificate is a case
	tls.StartTLS()
	t.Cleanup(tls.Close)
	closed := httptest.NewServer(mux)
	closed.Close()
	socket := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go http.Serve(listener, mux)
	return moduletest.Vars{"URL": plain.URL, "TLS": tls.URL, "HOST": strings.TrimPrefix(plain.URL, "http://"), "CLOSED": closed.URL, "SOCKET": socket}
}
