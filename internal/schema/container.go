package schema

import (
	"bytes"
	"slices"
	"strings"
)

// A container holds sound, pictures or both. Its first bytes do not say which, so the
// declared type, then the filename, then the type of the field do.
type container struct {
	audio, video string // the MIME type in a field of either type
	group        string // of [formats]
}

// containers are the known containers.
var containers = map[string]container{
	"iso":       {"audio/mp4", "video/mp4", "iso"},
	"3gpp":      {"audio/3gpp", "video/3gpp", "iso"},
	"quicktime": {"audio/mp4", "video/quicktime", "iso"},
	"webm":      {"audio/webm", "video/webm", "matroska"},
	"matroska":  {"audio/x-matroska", "video/x-matroska", "matroska"},
	"ogg":       {"audio/ogg", "video/ogg", "ogg"},
	"asf":       {"audio/x-ms-wma", "video/x-ms-asf", "asf"},
	"wav":       {"audio/wav", "audio/wav", "riff"},
	"avi":       {"video/x-msvideo", "video/x-msvideo", "riff"},
	"riff":      {octetStream, octetStream, "riff"},
	"flv":       {"video/x-flv", "video/x-flv", "flv"},
	"mpeg":      {"video/mpeg", "video/mpeg", "mpeg"},
	"mp2t":      {"video/mp2t", "video/mp2t", "mp2t"},
	"real":      {"application/vnd.rn-realmedia", "application/vnd.rn-realmedia", "real"},
}

// formats are the formats of sound and video, by the second part of their MIME types.
// Those of one group can be the same bytes.
var formats = map[string]string{
	"mp4": "iso", "m4a": "iso", "x-m4a": "iso", "m4b": "iso", "x-m4b": "iso", "m4v": "iso", "x-m4v": "iso", "x-mp4a": "iso", "mp4a-latm": "iso",
	"quicktime": "iso", "3gpp": "iso", "3gpp2": "iso", "3gp": "iso", "3g2": "iso", "vnd.dvb.file": "iso",
	"webm": "matroska", "matroska": "matroska", "x-matroska": "matroska",
	"ogg": "ogg", "x-ogg": "ogg", "opus": "ogg", "vorbis": "ogg", "speex": "ogg", "theora": "ogg",
	"asf": "asf", "vnd.ms-asf": "asf", "x-ms-asf": "asf", "x-ms-wma": "asf", "x-ms-wmv": "asf", "x-ms-wm": "asf",
	"wav": "riff", "x-wav": "riff", "wave": "riff", "vnd.wave": "riff", "x-pn-wav": "riff", "avi": "riff", "vnd.avi": "riff", "msvideo": "riff", "x-msvideo": "riff",
	"flv": "flv", "x-flv": "flv", "mp2t": "mp2t", "vnd.rn-realmedia": "real", "vnd.rn-realmedia-vbr": "real", "vnd.rn-realvideo": "real",

	"mpeg": "mpeg", "mp3": "mpeg", "x-mp3": "mpeg", "x-mpeg": "mpeg", "mpg": "mpeg", "flac": "flac", "x-flac": "flac",
	"aac": "aac", "x-aac": "aac", "midi": "midi", "x-midi": "midi", "aiff": "aiff", "x-aiff": "aiff", "amr": "amr", "basic": "basic", "ape": "ape",
}

// isContainer reports whether a format of sound is also one of video.
func isContainer(format string) bool {
	return slices.Contains([]string{"iso", "matroska", "ogg", "asf", "riff", "flv", "mp2t", "real"}, format)
}

// formatOf returns the format of a MIME type for sound or video, or "".
func formatOf(base string) string {
	_, kind, _ := strings.Cut(base, "/")
	return formats[kind]
}

// proveContainer recognizes the containers.
func proveContainer(head []byte) (evidence, bool) {
	held := func(name string) (evidence, bool) {
		return evidence{mime: containers[name].video, fits: media, format: name}, true
	}
	switch {
	case len(head) >= 12 && string(head[4:8]) == "ftyp":
		return proveISO(head), true
	case len(head) >= 12 && head[0] == 0 && slices.Contains([]string{"moov", "mdat", "wide", "free", "skip", "pnot"}, string(head[4:8])):
		return held("quicktime") // from before there was a box of type ftyp
	case len(head) >= 12 && slices.Contains([]string{"RIFF", "RIFX", "RF64", "BW64"}, string(head[:4])):
		return proveRIFF(string(head[8:12])), true
	case bytes.HasPrefix(head, []byte("\x1a\x45\xdf\xa3")):
		if bytes.Contains(head[:min(len(head), 100)], []byte("webm")) {
			return held("webm")
		}
		return held("matroska")
	case bytes.HasPrefix(head, []byte("OggS\x00")):
		e, ok := held("ogg")
		if !bytes.Contains(head[:min(len(head), 512)], []byte("theora")) {
			e.mime = containers["ogg"].audio
		}
		return e, ok
	case bytes.HasPrefix(head, []byte("\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\x00\xaa\x00\x62\xce\x6c")):
		return held("asf")
	case bytes.HasPrefix(head, []byte("FLV\x01")):
		return held("flv")
	case bytes.HasPrefix(head, []byte("\x00\x00\x01\xba")), bytes.HasPrefix(head, []byte("\x00\x00\x01\xb3")):
		return held("mpeg")
	case bytes.HasPrefix(head, []byte(".RMF\x00\x00\x00")):
		return held("real")
	case len(head) > 2*188 && head[0] == 'G' && head[188] == 'G' && head[2*188] == 'G':
		return held("mp2t")
	}
	return evidence{}, false
}

// The brands of ISO BMFF, by how they begin. All others may hold anything.
var (
	stillBrands  = []string{"heic", "heix", "heim", "heis", "mif1", "mif2", "miaf", "avif", "crx "}
	movingBrands = []string{"hevc", "hevx", "hevm", "hevs", "msf1", "avis"}
	mediaBrands  = []string{"iso", "mp4", "mp7", "M4A", "M4B", "M4P", "M4V", "MSNV", "avc", "qt  ", "3g", "dash", "msdh", "msix", "f4v", "F4V", "mmp4", "kddi", "XAVC", "piff", "cmf", "hvc", "dvb", "mqt"}
)

// proveISO returns the evidence of content that begins with a box of type ftyp.
func proveISO(head []byte) evidence {
	size := int(head[0])<<24 | int(head[1])<<16 | int(head[2])<<8 | int(head[3])
	brands := []string{string(head[8:12])}
	for at := 16; at+4 <= min(size, len(head), 256); at += 4 {
		brands = append(brands, string(head[at:at+4]))
	}
	begins := func(brand string, list []string) bool {
		return slices.ContainsFunc(list, func(b string) bool { return strings.HasPrefix(brand, b) })
	}
	for _, brand := range brands { // the first that is known counts
		switch {
		case begins(brand, stillBrands):
			return evidence{mime: stillMIME(brands), fits: pictures}
		case begins(brand, movingBrands):
			return evidence{mime: stillMIME(brands), fits: moving}
		case strings.HasPrefix(brand, "3g"):
			return evidence{mime: containers["3gpp"].video, fits: media, format: "3gpp"}
		case brand == "qt  ":
			return evidence{mime: containers["quicktime"].video, fits: media, format: "quicktime"}
		case brand == "M4A ", brand == "M4B ":
			return evidence{mime: containers["iso"].audio, fits: media, format: "iso"}
		case begins(brand, mediaBrands):
			return evidence{mime: containers["iso"].video, fits: media, format: "iso"}
		}
	}
	return evidence{mime: octetStream, fits: anyMedia, format: "iso"}
}

// stillMIME returns the MIME type of pictures in ISO BMFF.
func stillMIME(brands []string) string {
	for _, brand := range brands {
		switch brand {
		case "avif", "avis":
			return "image/avif"
		case "heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs":
			return "image/heic"
		case "crx ":
			return "image/x-canon-cr3"
		}
	}
	return "image/heif"
}

// proveRIFF returns the evidence of RIFF of a form.
func proveRIFF(form string) evidence {
	switch form {
	case "WEBP":
		return evidence{mime: "image/webp", fits: pictures}
	case "ACON":
		return evidence{mime: "image/x-ani", fits: pictures}
	case "RMID":
		return evidence{mime: "audio/midi", fits: media, format: "wav"}
	case "WAVE":
		return evidence{mime: "audio/wav", fits: media, format: "wav"}
	case "AVI ":
		return evidence{mime: "video/x-msvideo", fits: media, format: "avi"}
	}
	return evidence{mime: octetStream, fits: anyMedia, format: "riff"}
}
