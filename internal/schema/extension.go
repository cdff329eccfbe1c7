package schema

// extensions are the MIME types of files by their extensions. The list is our own, so
// that a name means the same on every machine.
var extensions = map[string]string{
	".txt": "text/plain", ".text": "text/plain", ".log": "text/plain", ".md": "text/markdown", ".markdown": "text/markdown",
	".html": "text/html", ".htm": "text/html", ".xhtml": "application/xhtml+xml", ".css": "text/css", ".js": "text/javascript", ".mjs": "text/javascript",
	".json": "application/json", ".jsonl": "application/x-ndjson", ".ndjson": "application/x-ndjson", ".geojson": "application/geo+json",
	".xml": "text/xml", ".yaml": "application/yaml", ".yml": "application/yaml", ".toml": "application/toml", ".sql": "application/sql",
	".rtf": "application/rtf", ".ics": "text/calendar", ".vcf": "text/vcard", ".srt": "application/x-subrip", ".vtt": "text/vtt",
	".py": "text/x-python", ".go": "text/x-go", ".c": "text/x-c", ".java": "text/x-java", ".sh": "application/x-sh", ".tex": "application/x-tex",
	".eml": "message/rfc822", ".msg": "application/vnd.ms-outlook",

	".csv": "text/csv", ".tsv": "text/tab-separated-values", ".tab": "text/tab-separated-values",
	".xls": "application/vnd.ms-excel", ".xlt": "application/vnd.ms-excel",
	".xlsx": office + "spreadsheetml.sheet", ".xltx": office + "spreadsheetml.template",
	".xlsm": "application/vnd.ms-excel.sheet.macroenabled.12", ".xlsb": "application/vnd.ms-excel.sheet.binary.macroenabled.12",
	".ods": "application/vnd.oasis.opendocument.spreadsheet",

	".pdf": "application/pdf", ".doc": "application/msword", ".dot": "application/msword",
	".docx": office + "wordprocessingml.document", ".docm": "application/vnd.ms-word.document.macroenabled.12",
	".ppt": "application/vnd.ms-powerpoint", ".pps": "application/vnd.ms-powerpoint", ".pptx": office + "presentationml.presentation",
	".ppsx": office + "presentationml.slideshow", ".pptm": "application/vnd.ms-powerpoint.presentation.macroenabled.12",
	".odt": "application/vnd.oasis.opendocument.text", ".odp": "application/vnd.oasis.opendocument.presentation",
	".epub": "application/epub+zip", ".zip": "application/zip", ".pages": "application/vnd.apple.pages",
	".numbers": "application/vnd.apple.numbers", ".key": "application/vnd.apple.keynote",

	".png": "image/png", ".apng": "image/apng", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".jpe": "image/jpeg", ".gif": "image/gif",
	".webp": "image/webp", ".bmp": "image/bmp", ".tif": "image/tiff", ".tiff": "image/tiff", ".svg": "image/svg+xml", ".svgz": "image/svg+xml",
	".ico": "image/x-icon", ".heic": "image/heic", ".heif": "image/heif", ".avif": "image/avif", ".jxl": "image/jxl", ".jp2": "image/jp2",
	".psd": "image/vnd.adobe.photoshop", ".dng": "image/x-adobe-dng", ".cr2": "image/x-canon-cr2", ".cr3": "image/x-canon-cr3",
	".nef": "image/x-nikon-nef", ".arw": "image/x-sony-arw", ".tga": "image/x-tga", ".ppm": "image/x-portable-pixmap", ".dcm": "application/dicom",

	".mp3": "audio/mpeg", ".m4a": "audio/mp4", ".m4b": "audio/mp4", ".aac": "audio/aac", ".wav": "audio/wav", ".flac": "audio/flac",
	".ogg": "audio/ogg", ".oga": "audio/ogg", ".opus": "audio/ogg", ".weba": "audio/webm", ".mka": "audio/x-matroska", ".wma": "audio/x-ms-wma",
	".aif": "audio/aiff", ".aiff": "audio/aiff", ".mid": "audio/midi", ".midi": "audio/midi", ".amr": "audio/amr", ".caf": "audio/x-caf", ".au": "audio/basic",

	".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/quicktime", ".qt": "video/quicktime", ".3gp": "video/3gpp", ".3g2": "video/3gpp2",
	".webm": "video/webm", ".mkv": "video/x-matroska", ".ogv": "video/ogg", ".wmv": "video/x-ms-wmv", ".asf": "video/x-ms-asf", ".avi": "video/x-msvideo",
	".mpg": "video/mpeg", ".mpeg": "video/mpeg", ".ts": "video/mp2t", ".mts": "video/mp2t", ".m2ts": "video/mp2t", ".flv": "video/x-flv", ".rm": "application/vnd.rn-realmedia",

	".gz": "application/gzip", ".tgz": "application/gzip", ".tar": "application/x-tar", ".7z": "application/x-7z-compressed", ".rar": "application/vnd.rar",
	".bz2": "application/x-bzip2", ".xz": "application/x-xz", ".zst": "application/zstd", ".wasm": "application/wasm", ".glb": "model/gltf-binary",
	".stl": "model/stl", ".obj": "model/obj", ".parquet": "application/vnd.apache.parquet", ".sqlite": "application/vnd.sqlite3",
	".ttf": "font/ttf", ".otf": "font/otf", ".woff": "font/woff", ".woff2": "font/woff2", ".ps": "application/postscript", ".eps": "application/postscript",
}

// NamedType returns the MIME type of a file by the extension of its name, or "" if that
// says nothing.
func NamedType(filename string) string { return extensions[extension(filename)] }
