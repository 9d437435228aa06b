package modules

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
)

// httpGet opens what is at a URL. verify is off only where the user said so.
func httpGet(ctx context.Context, url string, verify bool) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableKeepAlives = true
	transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: !verify}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return nil, errors.New(httpFault(err))
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, errors.New(statusText(response))
	}
	return response.Body, nil
}

// smallFile is more than any key or description that is fetched whole.
const smallFile = 16 << 20

func httpGetAll(ctx context.Context, url string, verify bool) ([]byte, error) {
	body, err := httpGet(ctx, url, verify)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(io.LimitReader(body, smallFile))
}
