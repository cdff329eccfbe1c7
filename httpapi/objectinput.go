package httpapi

import "github.com/bucketlite/bucketlite"

// objectInput reads the JSON form of an object to be stored.
func (c *call) objectInput(data []byte) (in bucketlite.ObjectInput, err error) {
	return in, in.UnmarshalJSON(data)
}
