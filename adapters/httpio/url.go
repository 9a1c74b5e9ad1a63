package httpio

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/spine-engine/spine-engine/adapters/internal/nets"
	"github.com/spine-engine/spine-engine/internal/conf"
)

func (c *requestConfig) readURL(n, post, put *conf.Node) {
	at := post
	c.method, c.url = http.MethodPost, &url.URL{}
	if put.Present() {
		c.method, at = http.MethodPut, put
	}
	switch {
	case post.Present() && put.Present():
		put.Errorf("keep one of the two", "post and put exclude each other")
	case at == nil:
		n.Errorf("add post: https://host/path", "http has no address")
		return
	}
	u, why, hint := parseURL(at.Text())
	if why != "" {
		at.Errorf(hint, "%s", why)
		return
	}
	c.url = u
	if err := c.allow.literal(u.Hostname()); err != nil {
		at.Errorf("", "%v", err)
	}
	if u.Scheme == "http" && !isLoopbackHost(u.Hostname()) {
		at.Warnf("write https:// if the other side can", "messages cross the network in clear")
	}
}

// parseURL checks an address without asking the network.
func parseURL(s string) (u *url.URL, why, hint string) {
	const example = "write an address as https://host/path"
	u, err := url.Parse(s)
	switch {
	case strings.HasPrefix(s, "= "):
		return nil, "the address of a destination cannot be computed", example
	case err != nil:
		return nil, "this is not an address", example // err quotes it, password included
	case u.User != nil:
		return nil, "a user name or password must not stand in an address", `use bearer: "${file:secrets/NAME}", or headers: { Authorization: "${file:secrets/NAME}" }`
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Sprintf("%q is not http or https", u.Scheme), example
	case u.Hostname() == "" || !nets.GoodHost(u.Hostname()) || !isFieldValue(u.Hostname()):
		return nil, fmt.Sprintf("%q is not a host", u.Hostname()), example
	case u.Fragment != "" || strings.Contains(s, "#"):
		return nil, "a fragment (#...) is never sent", "leave it out"
	case u.Port() != "" && !goodPort(u.Port()):
		return nil, fmt.Sprintf("%q is not a port", u.Port()), "a port is a number from 1 to 65535"
	}
	u.Host = strings.ToLower(u.Host)
	if u.Path == "" {
		u.Path = "/"
	}
	return u, "", ""
}

func goodPort(s string) bool {
	p, err := strconv.Atoi(s)
	return err == nil && p > 0 && p <= 65535
}

// shown is an address as logs and errors may show it: without its query.
func shown(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// hostPort is what is dialled for an address.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}
