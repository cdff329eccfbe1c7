package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/bucketlite/bucketlite"
	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"
)

// retentionFlags are the flags that limit what a bucket keeps.
type retentionFlags struct {
	age, objects, bytes string
}

func (f *retentionFlags) add(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.age, "max-age", "", "delete objects that have not changed for this `time`, as 90m, 720h or 30d; 0 means no limit")
	flags.StringVar(&f.objects, "max-objects", "", "delete the oldest objects beyond this `number`; 0 means no limit")
	flags.StringVar(&f.bytes, "max-bytes", "", "delete the oldest objects beyond this total `size`, as 10GiB; 0 means no limit")
}

// given reports whether there is any of the flags.
func (f *retentionFlags) given() bool { return f.age != "" || f.objects != "" || f.bytes != "" }

// set sets the limits that the flags give.
func (f *retentionFlags) set(r *bucketlite.Retention) (err error) {
	if f.age != "" {
		if r.MaxAge, err = lapse(f.age); err != nil || r.MaxAge < 0 {
			return usagef("--max-age: a time such as 720h or 30d expected, got %q", f.age)
		}
	}
	if f.objects != "" {
		if r.MaxObjects, err = strconv.ParseInt(f.objects, 10, 64); err != nil || r.MaxObjects < 0 {
			return usagef("--max-objects: a number expected, got %q", f.objects)
		}
	}
	if f.bytes != "" {
		n, err := humanize.ParseBytes(f.bytes)
		if err != nil || n > 1<<62 {
			return usagef("--max-bytes: a size such as 10GiB expected, got %q", f.bytes)
		}
		r.MaxBytes = int64(n)
	}
	return nil
}

const day = 24 * time.Hour

// lapse reads a time as Go spells it, or a number of days as in 30d.
func lapse(text string) (time.Duration, error) {
	if text == "0" {
		return 0, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * day, err
	}
	return time.ParseDuration(text)
}

// limitsText describes limits, as in "30d, 1,000 objects, 10 GiB".
func limitsText(r bucketlite.Retention) string {
	var limits []string
	switch {
	case r.MaxAge == 0:
	case r.MaxAge%day == 0:
		limits = append(limits, fmt.Sprintf("%dd", r.MaxAge/day))
	default:
		limits = append(limits, r.MaxAge.String())
	}
	if r.MaxObjects != 0 {
		limits = append(limits, plural(r.MaxObjects, "object", "objects"))
	}
	if r.MaxBytes != 0 {
		limits = append(limits, size(r.MaxBytes).String())
	}
	return strings.Join(limits, ", ")
}

// setExpiry sets when an object expires: at a time, after a time, or never.
func setExpiry(in *bucketlite.ObjectInput, text string) error {
	if text == "never" {
		in.ExpiresAt, in.NeverExpires = time.Time{}, true
		return nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		after, err := lapse(text)
		if err != nil || after <= 0 {
			return usagef("--expires: a time such as 2h, 30d or 2030-01-31T12:00:00Z expected, or never, got %q", text)
		}
		at = time.Now().Add(after)
	}
	in.ExpiresAt, in.NeverExpires = at, false
	return nil
}
