package mailbox

import "golang.org/x/sys/unix"

func renameNew(from int, name string, to int, newName string) error {
	return unix.Renameat2(from, name, to, newName, unix.RENAME_NOREPLACE)
}

// writeOut starts the writing of a file's pages without waiting for it, so that
// the fsync of many files, which comes later, finds most of it done. It is a
// hint: its failure shows in the fsync.
func writeOut(fd int) { _ = unix.SyncFileRange(fd, 0, 0, unix.SYNC_FILE_RANGE_WRITE) }

// mountID tells mounts apart, where device numbers do not (bind mounts).
// 0 = the kernel does not say.
func mountID(fd int) uint64 {
	var st unix.Statx_t
	err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_MNT_ID, &st)
	if err != nil || st.Mask&unix.STATX_MNT_ID == 0 {
		return 0
	}
	return st.Mnt_id
}
