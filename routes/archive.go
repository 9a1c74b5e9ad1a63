package routes

import (
	"archive/zip"
	"bytes"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Zip packs Files for the archive; equal files give equal bytes.
func (p *Plan) Zip() ([]byte, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(p.files)) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: time.Unix(315532800, 0).UTC()})
		if err == nil {
			_, err = w.Write(p.files[name])
		}
		if err != nil {
			return nil, fmt.Errorf("packing %s for the archive: %w", name, err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("packing the project for the archive: %w", err)
	}
	return out.Bytes(), nil
}
