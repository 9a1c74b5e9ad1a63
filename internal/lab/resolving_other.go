//go:build !linux

package main

import "errors"

func resolvingMain([]string) error {
	return errors.New("giving a process a resolver of its own is written for Linux")
}
