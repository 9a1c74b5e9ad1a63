package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// machine heads the report: figures mean nothing without it.
func (r *report) machine(dir string, seed int64) {
	r.section("machine", time.Now().UTC().Format(time.RFC3339))
	r.note("processor: %s, %d cores", cpuModel(), runtime.NumCPU())
	r.note("kernel: %s; %s", kernel(), runtime.Version())
	r.note("file system of the measurements: %s", fileSystem(dir))
	r.note("seed: %d", seed)
}

func cpuModel() string {
	data, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown " + runtime.GOARCH
	}
	for line := range strings.Lines(string(data)) {
		if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
			return strings.TrimSpace(v)
		}
	}
	return "unknown " + runtime.GOARCH
}

func kernel() string {
	data, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return runtime.GOOS
	}
	return runtime.GOOS + " " + strings.TrimSpace(string(data))
}

func fileSystem(dir string) string {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return "unknown"
	}
	names := map[int64]string{0xef53: "ext4", 0x58465342: "xfs", 0x01021994: "tmpfs (nothing is durable here)", 0x9123683e: "btrfs", 0x794c7630: "overlayfs"}
	name, ok := names[int64(st.Type)]
	if !ok {
		name = fmt.Sprintf("type %#x", st.Type)
	}
	if name == "ext4" && !journalled(dir) {
		name += " without a journal"
	}
	return fmt.Sprintf("%s, %d GiB free", name, st.Bavail*uint64(st.Bsize)>>30)
}

// journalled tells whether dir lies on a file system that is not ext4 without a
// journal: ext4 shows each journal as /proc/fs/jbd2/DEVICE-INODE.
func journalled(dir string) bool {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err != nil || int64(fs.Type) != 0xef53 {
		return true
	}
	device := deviceOf(dir)
	found, err := filepath.Glob("/proc/fs/jbd2/" + device + "-*")
	return device == "" || err != nil || len(found) > 0
}

// deviceOf finds the name of the block device that dir lies on, as the kernel calls
// it; "" when it cannot be told. The lines of mountinfo are: id parent MAJOR:MINOR
// root MOUNTPOINT ...
func deviceOf(dir string) string {
	data, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return ""
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return ""
	}
	number, longest := "", 0
	for line := range strings.Lines(string(data)) {
		f := strings.Fields(line)
		if len(f) < 5 {
			continue
		}
		if at := f[4]; len(at) >= longest && (at == "/" || dir == at || strings.HasPrefix(dir, at+"/")) {
			number, longest = f[2], len(at)
		}
	}
	device, err := filepath.EvalSymlinks("/sys/dev/block/" + number)
	if err != nil {
		return ""
	}
	return filepath.Base(device)
}
