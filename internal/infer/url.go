package infer

import (
	"path"
	"strings"

	"github.com/bucketlite/bucketlite/internal/schema"
)

// extensions are the types of files, by the extensions of their names.
var extensions = map[string]string{
	".jpg": schema.Image, ".jpeg": schema.Image, ".png": schema.Image, ".gif": schema.Image, ".webp": schema.Image,
	".avif": schema.Image, ".heic": schema.Image, ".tif": schema.Image, ".tiff": schema.Image, ".bmp": schema.Image, ".svg": schema.Image,
	".mp4": schema.Video, ".m4v": schema.Video, ".mov": schema.Video, ".webm": schema.Video, ".mkv": schema.Video, ".avi": schema.Video,
	".mp3": schema.Audio, ".m4a": schema.Audio, ".wav": schema.Audio, ".flac": schema.Audio, ".ogg": schema.Audio, ".opus": schema.Audio, ".aac": schema.Audio,
	".pdf": schema.PDF, ".xls": schema.Excel, ".xlsx": schema.Excel, ".csv": schema.Excel,
}

// FileType returns the type of a file by the extension of its name, or "" if it is not
// known.
func FileType(name string) string { return extensions[strings.ToLower(path.Ext(name))] }

// fileURLs says what files the values of a field are the URLs of.
type fileURLs struct {
	kind  string // of the first value
	mixed bool   // the values are not all URLs of one kind of file
}

func (u *fileURLs) add(s string) {
	if u.mixed {
		return
	}
	kind := fileType(s)
	if u.kind == "" {
		u.kind = kind
	}
	u.mixed = kind == "" || kind != u.kind
}

// fileType returns the type of the file that a URL names, or "".
func fileType(s string) string {
	scheme, rest, ok := strings.Cut(s, "://")
	switch {
	case !ok:
		return ""
	case scheme == "http", scheme == "https", scheme == "s3", scheme == "gs", scheme == "file":
		if end := strings.IndexAny(rest, "?#"); end >= 0 {
			rest = rest[:end]
		}
		return FileType(rest)
	}
	return ""
}
