package routes

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/netip"
)

// origin gives the message the key by which a repeat is recognised, where the
// source declares duplicates and has none of its own. The key is a digest, so
// that no value of the message shows.
func (r *run) origin() error {
	s := r.source
	if s.duplicates == 0 || r.env.Origin != "" {
		return nil
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00", s.name)
	if s.key != nil {
		r.scope.Set(s.keyEnv, r.orig, r.env, r.now)
		key, err := s.key.Text(r.scope)
		if err != nil {
			return err
		}
		if key == "" {
			return nil // nothing to recognise it by
		}
		fmt.Fprintf(h, "%s", key)
	} else {
		fmt.Fprintf(h, "%s\x00", peerHost(r.env.Remote))
		for _, p := range r.plan.identity {
			fmt.Fprintf(h, "%s\x00", r.orig.Text(p))
		}
	}
	// The same control id with another body is not a repeat.
	sum, err := r.env.Body.Sum()
	if err != nil {
		return fmt.Errorf("the body cannot be read: %w", err)
	}
	h.Write(sum[:])
	r.env.Origin = "message:" + hex.EncodeToString(h.Sum(nil)[:20])
	return nil
}

// peerHost is a socket's address without its port.
func peerHost(remote string) string {
	if at, err := netip.ParseAddrPort(remote); err == nil {
		return at.Addr().String()
	}
	return remote
}
