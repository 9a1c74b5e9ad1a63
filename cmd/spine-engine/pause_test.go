package main

import (
	"testing"
	"time"
)

func TestParseUntil(t *testing.T) {
	zone := time.FixedZone("", 3600)
	now := time.Date(2026, 11, 22, 21, 30, 0, 0, zone)
	for in, want := range map[string]time.Time{
		"":                     {},
		"90m":                  now.Add(90 * time.Minute),
		"3d":                   now.Add(72 * time.Hour),
		"22:00":                time.Date(2026, 11, 22, 22, 0, 0, 0, zone),
		"06:00":                time.Date(2026, 11, 23, 6, 0, 0, 0, zone),
		"21:30":                time.Date(2026, 11, 23, 21, 30, 0, 0, zone),
		"2026-12-24 18:00":     time.Date(2026, 12, 24, 18, 0, 0, 0, zone),
		"2026-12-24T18:00:00Z": time.Date(2026, 12, 24, 18, 0, 0, 0, time.UTC),
	} {
		if got, err := parseUntil(in, now); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v %v, want %v", in, got, err, want)
		}
	}
	for _, in := range []string{"tomorrow", "25:00", "3x"} {
		if _, err := parseUntil(in, now); err == nil {
			t.Errorf("%q was taken", in)
		}
	}
}
