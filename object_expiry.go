package bucketlite

import (
	"time"

	"github.com/bucketlite/bucketlite/internal/value"
)

// expiryMember is the JSON name of [Object].ExpiresAt and [ObjectInput].ExpiresAt. Its
// prefix marks it as an extension, and leaves the name "expires_at" to users.
const expiryMember = "x-expires-at"

// never is the value of expiryMember that stands for [ObjectInput].NeverExpires.
const never = "never"

var expiryPath = value.Path{{Name: expiryMember}}

// takeExpiry removes the time at which the object expires from the JSON form of an input.
func (in *ObjectInput) takeExpiry(j *judge, doc map[string]any) {
	text, _ := takeString(j, doc, expiryMember)
	if message := in.readExpiry(text); message != "" {
		j.fault(expiryPath, "format", message)
	}
}

// readExpiry sets the time from a text, or returns a message. No text is no time.
func (in *ObjectInput) readExpiry(text string) (message string) {
	switch sec, nanos, ok := value.ParseDateTime(text); {
	case text == "":
	case text == never:
		in.NeverExpires = true
	case ok:
		in.ExpiresAt = time.Unix(sec, int64(nanos)).UTC()
	default:
		return "an RFC 3339 time or \"never\" expected, got " + value.Show(text)
	}
	return ""
}

// expiryText returns the time at which the object expires in its JSON form.
func (o *Object) expiryText() string { return o.ExpiresAt.Format(time.RFC3339Nano) }

// judgeExpiry validates the time at which the object expires.
func (in *ObjectInput) judgeExpiry(j *judge, now func() time.Time) {
	at := in.ExpiresAt
	switch {
	case at.IsZero():
	case in.NeverExpires:
		j.fault(expiryPath, "format", "ExpiresAt and NeverExpires exclude each other")
	case at.Year() > 9999:
		j.fault(expiryPath, "format", "a year up to 9999 expected, got "+at.Format(time.RFC3339))
	case !in.expiry().After(now()):
		j.fault(expiryPath, "future", "a time in the future expected, got "+at.Format(time.RFC3339Nano))
	}
}

// expiry returns the time at which the object expires as it is stored.
func (in *ObjectInput) expiry() time.Time {
	if in.ExpiresAt.IsZero() {
		return time.Time{}
	}
	return timeOf(in.ExpiresAt.UnixMicro())
}
