package engine

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/registry"
	"github.com/docker/docker/client"
)

// FindImage looks an image up by name, name:tag, name@digest or id; nil when
// there is none.
func FindImage(ctx context.Context, c client.APIClient, name string) (*image.InspectResponse, error) {
	found, err := c.ImageInspect(ctx, name)
	if errdefs.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, Failure("inspecting image "+name, err)
	}
	return &found, nil
}

// WithTag is the name with its tag or digest, "latest" unless it has one.
func WithTag(name, tag string) string {
	if tag == "" {
		tag = "latest"
	}
	if strings.Contains(name, "@") || strings.HasPrefix(name, "sha256:") {
		return name
	}
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		return name
	}
	if strings.HasPrefix(tag, "sha256:") {
		return name + "@" + tag
	}
	return name + ":" + tag
}

// SplitTag divides a name into repository and tag or digest.
func SplitTag(name string) (repository, tag string) {
	if before, digest, ok := strings.Cut(name, "@"); ok {
		return before, digest
	}
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		return name[:colon], name[colon+1:]
	}
	return name, ""
}

// Auth is the login for the registry of an image.
type Auth struct{ Username, Password string }

func (a Auth) header() string {
	if a.Username == "" {
		return ""
	}
	h, _ := registry.EncodeAuthConfig(registry.AuthConfig{Username: a.Username, Password: a.Password})
	return h
}

// SavedAuth is the login that `docker login` saved for the registry of an
// image in config.json, or the zero value.
func SavedAuth(config []byte, image string) Auth {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return Auth{}
	}
	var saved struct {
		Auths map[string]struct{ Auth string }
	}
	if json.Unmarshal(config, &saved) != nil {
		return Auth{}
	}
	domain := reference.Domain(named)
	for _, key := range []string{domain, "https://" + domain, "https://" + domain + "/v1/", "https://index.docker.io/v1/"} {
		raw, err := base64.StdEncoding.DecodeString(saved.Auths[key].Auth)
		if user, password, ok := strings.Cut(string(raw), ":"); err == nil && ok && (domain == "docker.io" || !strings.Contains(key, "index.docker.io")) {
			return Auth{user, password}
		}
	}
	return Auth{}
}

// Pull pulls an image.
func Pull(ctx context.Context, c client.APIClient, name, platform string, auth Auth) error {
	body, err := c.ImagePull(ctx, name, image.PullOptions{RegistryAuth: auth.header(), Platform: platform})
	if err != nil {
		return Failure("pulling image "+name, err)
	}
	defer body.Close()
	if _, err := Stream(body); err != nil {
		return fmt.Errorf("Error pulling %s - %w", name, err)
	}
	return nil
}

// Push pushes an image.
func Push(ctx context.Context, c client.APIClient, name string, auth Auth) (output []string, err error) {
	header := auth.header()
	if header == "" {
		header = "e30=" // the engine wants a login in the request: {}
	}
	body, err := c.ImagePush(ctx, name, image.PushOptions{RegistryAuth: header})
	if err != nil {
		return nil, Failure("pushing image "+name, err)
	}
	defer body.Close()
	if output, err = Stream(body); err != nil {
		err = fmt.Errorf("Error pushing image %s: %w", name, err)
	}
	return output, err
}

// Stream reads what the engine tells while it pulls, pushes, loads or builds:
// its lines, or the error it ends with.
func Stream(r io.Reader) (lines []string, err error) {
	d := json.NewDecoder(r)
	for {
		var m struct{ Stream, Status, Error string }
		switch err := d.Decode(&m); {
		case errors.Is(err, io.EOF):
			return lines, nil
		case err != nil:
			return lines, err
		case m.Error != "":
			return lines, errors.New(m.Error)
		}
		if text := strings.TrimRight(m.Stream+m.Status, "\n"); text != "" {
			lines = append(lines, strings.Split(text, "\n")...)
		}
	}
}
