package httpapi

import "github.com/bucketlite/bucketlite"

// A refusal of the form or the size of the input is a result here, not an error. Other
// errors are errors as elsewhere.
var validateRoutes = []route{
	{"POST /v1/buckets/validate", scoped, reads, definitionBody, (*call).validateBucket},
	{"POST /v1/buckets/{bucket}/objects/validate", scoped, reads, objectBody, (*call).validateObject},
}

// verdict says whether a request that creates something would be in order.
type verdict struct {
	Valid  bool              `json:"valid"`
	Errors []validationError `json:"validation_errors"`
}

// verdictOf turns the error of a judgement into a verdict.
func verdictOf(err error) (any, error) {
	faults := faultsOf(err)
	if err != nil && len(faults) == 0 {
		return nil, err
	}
	return verdict{err == nil, validationErrors(faults)}, nil
}

// validateBucket checks the description of a bucket as [call.createBucket] does,
// except that it does not ask whether the name is free.
func (c *call) validateBucket() (any, error) {
	config, err := c.bucketConfig()
	if err == nil {
		err = bucketlite.ValidateBucket(config)
	}
	return verdictOf(err)
}

// validateObject checks an object as its creation does, except that it does not ask
// whether the unique key is free or an upload is there. The bucket's status does not
// matter.
func (c *call) validateObject() (any, error) {
	in, err := c.objectInput()
	if err == nil {
		err = c.bucket.Validate(c.ctx(), in)
	}
	return verdictOf(err)
}
