package schema

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// Content describes bytes that are to be the value of a file field.
type Content struct {
	// Declared is the MIME type that the user gave, or empty.
	Declared string
	// Claimed is the MIME type that a server sent along, or empty. Servers are often
	// wrong, so it counts only if it fits the field, or if the bytes bear it out.
	Claimed string
	// Filename is the name that was given, or empty.
	Filename string
	// Head holds the first bytes; nil if they are not there yet.
	Head []byte
	// Documents lets a Text field take a document that Declared names.
	Documents bool
}

// Type returns the MIME type of the content as the value of a field of type t, or an
// error if it is none. An empty t stands for a field that is not known yet.
//
// The field's type is the user's word. Content is refused only on evidence that cannot
// be mistaken: a declared type of another family, the signature of another kind, or
// the lack of the signature that its type always has. The MIME type comes from the
// first of these that has one: the signature, the declared type, the filename, a guess
// by the beginning, the field. A guess never refuses. Text must pass a [TextCheck] too.
func (c Content) Type(t string) (string, error) {
	declared, err := parseMediaType(c.Declared)
	if err != nil {
		return "", err
	}
	if t == Text && c.Documents && declared.base != "" && !Fits(Text, declared.base) && Fits(Document, declared.base) {
		return c.asDocument()
	}
	switch {
	case declared.base == "":
	case declared.saysNothing(t, c.Filename):
		declared.base = ""
	case !Fits(t, declared.base):
		return "", fmt.Errorf("the declared type %s does not fit %s", declared.base, t)
	}
	if c.Head == nil {
		return declared.named(declared.base), nil
	}
	if declared.base == "" {
		if declared, err = c.claimed(t, declared); err != nil {
			return "", err
		}
	}
	base, err := c.base(t, declared.base)
	return declared.named(base), err
}

// asDocument returns the MIME type of a document in a field of text. If it is none, it
// may still be text.
func (c Content) asDocument() (string, error) {
	c.Documents = false
	mimeType, err := c.Type(Document)
	if err == nil {
		return mimeType, nil
	}
	text := c
	text.Declared = ""
	if mimeType, e := text.Type(Text); e == nil {
		return mimeType, nil
	}
	return "", err
}

// claimed returns the type that a server sent, if it fits; or else none. A page that
// stands in the place of what was to be fetched is refused.
func (c Content) claimed(t string, none mediaType) (mediaType, error) {
	m, err := parseMediaType(c.Claimed)
	switch {
	case err != nil || m.base == "" || m.saysNothing(t, c.Filename):
		return none, nil
	case Fits(t, m.base):
		if isUTF8(m.charset) { // which servers say of everything
			m.charset = ""
		}
		return m, nil
	case isTextual(m.base) && m.base != "text/plain" && guess(c.Head).Is(m.base):
		return none, fmt.Errorf("the source sent %s, which does not fit %s", m.base, t)
	}
	return none, nil
}

// base returns the MIME type of the bytes, without parameters. The declared type fits
// the field, or is empty.
func (c Content) base(t, declared string) (string, error) {
	if len(c.Head) == 0 {
		return c.ofNothing(t, declared)
	}
	proven, ok := prove(c.Head)
	switch {
	case isPage(c.Head) && slices.Contains(anyMedia, t):
		return "", fmt.Errorf("the data is text/html, which does not fit %s", t)
	case !ok:
		return c.unproven(t, declared)
	}
	name := c.name(t, declared)
	inSheet := t == Excel && (proven.format == "zip" || proven.format == "ole") && Fits(Excel, name) && !isTextual(name)
	zippedSVG := t == Image && proven.mime == "application/gzip" && name == "image/svg+xml"
	switch {
	case inSheet && !Fits(Excel, proven.mime), zippedSVG:
		return name, nil
	case t != "" && t != File && !slices.Contains(proven.fits, t):
		return "", fmt.Errorf("the data is %s, which does not fit %s", proven.mime, t)
	case proven.covers(name) && !lacks(name, c.Head):
		return proven.adapt(name, t, declared != ""), nil
	}
	return proven.inField(t), nil
}

// name returns the MIME type by which the content goes: the declared one, or that of
// the filename, or the only one that the field takes; or "".
func (c Content) name(t, declared string) string {
	if declared != "" {
		return declared
	}
	if named := extensions[extension(c.Filename)]; named != "" && Fits(t, named) {
		return named
	}
	if t == PDF {
		return "application/pdf"
	}
	return ""
}

// unproven is base for bytes that prove nothing.
func (c Content) unproven(t, declared string) (string, error) {
	name := c.name(t, declared)
	node := guess(c.Head)
	switch {
	case name == "":
	case lacks(name, c.Head) && (t == File || t == "" && declared == ""):
		name = ""
	case lacks(name, c.Head):
		return "", fmt.Errorf("the data does not begin as %s does", name)
	case t == File && isText(node) && isMedia(name):
		name = ""
	}
	guessed := Base(node.String())
	switch {
	case name != "":
		return name, nil
	case guessed != octetStream && Fits(t, guessed):
		return guessed, nil
	case t == Text:
		return "text/plain", nil
	case t == Excel && isText(node):
		return "text/csv", nil
	}
	return octetStream, nil
}

// ofNothing is base for content that is empty. Text may be.
func (c Content) ofNothing(t, declared string) (string, error) {
	name := c.name(t, declared)
	switch {
	case t == File && !lacks(name, nil), t == "" && !lacks(name, nil):
		return cmp.Or(name, octetStream), nil
	case t == File:
		return octetStream, nil
	case t == Text, t == Document && (name == "" || isTextual(name)):
		return cmp.Or(name, "text/plain"), nil
	case t == Excel && (name == "" || isTextual(name)):
		return cmp.Or(name, "text/csv"), nil
	}
	return "", errors.New("the data is empty")
}

// guess returns the type that the bytes resemble. It is often wrong about text.
func guess(head []byte) *mimetype.MIME { return mimetype.Detect(head) }

// isText reports whether a guess is some kind of text.
func isText(m *mimetype.MIME) bool {
	for ; m != nil; m = m.Parent() {
		if m.Is("text/plain") {
			return true
		}
	}
	return false
}

// isMedia reports whether the MIME type is one of sound or pictures that is not text.
func isMedia(base string) bool {
	family, _, _ := strings.Cut(base, "/")
	return (family == "audio" || family == "video" || family == "image") && !isTextual(base)
}

// covers reports whether a name can be that of content with the evidence, which proves
// only a container.
func (e evidence) covers(name string) bool {
	family, _, _ := strings.Cut(name, "/")
	isOffice := family == "application" && !isTextual(name) && name != "application/pdf"
	switch e.format {
	case "":
		return false
	case "tiff":
		return strings.HasPrefix(name, "image/x-") // raw photos of cameras
	case "id3":
		return family == "audio"
	case "ole":
		return isOffice && e.mime == "application/x-ole-storage"
	case "zip":
		return isOffice && name != "application/msword" && name != "application/vnd.ms-excel" && name != "application/vnd.ms-powerpoint"
	case "xl":
		return strings.Contains(name, "spreadsheetml") || strings.HasPrefix(name, "application/vnd.ms-excel.")
	case "word":
		return strings.Contains(name, "wordprocessingml") || strings.HasPrefix(name, "application/vnd.ms-word.")
	case "ppt":
		return strings.Contains(name, "presentationml") || strings.HasPrefix(name, "application/vnd.ms-powerpoint.")
	}
	if format := formatOf(name); format != "" {
		return format == containers[e.format].group
	}
	return family == "audio" || family == "video" || family == "image"
}

// adapt returns a name for content in a field of type t. A filename does not tell
// sound from pictures.
func (e evidence) adapt(name, t string, declared bool) string {
	other := map[string]string{Audio: "video/", Video: "audio/"}[t]
	if !declared && other != "" && strings.HasPrefix(name, other) {
		return e.inField(t)
	}
	return name
}

// inField returns the MIME type of content in a field of type t, if nothing else is
// known.
func (e evidence) inField(t string) string {
	c, isContainer := containers[e.format]
	switch {
	case isContainer && t == Audio:
		return c.audio
	case isContainer && t == Video:
		return c.video
	case t == Excel && e.format == "zip":
		return office + "spreadsheetml.sheet"
	case t == Excel && e.format == "ole":
		return "application/vnd.ms-excel"
	}
	return e.mime
}
