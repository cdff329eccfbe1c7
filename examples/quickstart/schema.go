package main

import "github.com/bucketlite/bucketlite"

// datePattern is how the gallery writes dates: "2010-02-14 00:00:00-05". That is
// not RFC 3339, so the fields are strings that must look like it, not datetimes.
const datePattern = `^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}[+-]\d{2}$`

// mediaBucket describes the bucket the items go into. Fields that an item may
// lack are not required; members that are not declared would be kept as given.
func mediaBucket() bucketlite.BucketConfig {
	link := map[string]any{"format": "uri"}
	date := map[string]any{"pattern": datePattern}
	return bucketlite.BucketConfig{
		Name:        "media",
		Description: "Audio and video items of the National Gallery of Art, open data (CC0).",
		Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
			"mediaid":     {Type: bucketlite.String, Required: true},
			"mediatype":   {Type: bucketlite.String, Required: true, Enum: []any{"audio", "video"}},
			"title":       {Type: bucketlite.String, Required: true, Keywords: map[string]any{"minLength": 1}},
			"description": {Type: bucketlite.String, Description: "HTML"},
			"language":    {Type: bucketlite.String, Required: true, Keywords: map[string]any{"pattern": "^[a-z]{2}$"}},
			"duration":    {Type: bucketlite.Integer, Description: "in seconds", Keywords: map[string]any{"minimum": 0}},
			"tags":        {Type: bucketlite.Array, Items: &bucketlite.Field{Type: bucketlite.String}},
			"keywords":    {Type: bucketlite.Array, Items: &bucketlite.Field{Type: bucketlite.String}},

			"playurl":      {Type: bucketlite.String, Required: true, Keywords: link},
			"thumbnailurl": {Type: bucketlite.String, Keywords: link},
			"imageurl":     {Type: bucketlite.String, Keywords: link},

			"presentationdate": {Type: bucketlite.String, Keywords: date},
			"releasedate":      {Type: bucketlite.String, Required: true, Keywords: date},
			"lastmodified":     {Type: bucketlite.String, Required: true, Keywords: date},

			// Files. The items have none; some are attached later.
			"photo": {Type: bucketlite.Image},
			"clip":  {Type: bucketlite.Video},
			"sound": {Type: bucketlite.Audio},
			"sheet": {Type: bucketlite.Excel},
		}},
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"mediaid"}, DefaultPolicy: bucketlite.Upsert},
	}
}

// releasesBucket describes a bucket whose release date is a real point in time.
func releasesBucket() bucketlite.BucketConfig {
	return bucketlite.BucketConfig{
		Name: "releases",
		Schema: bucketlite.Schema{Properties: map[string]bucketlite.Field{
			"mediaid":     {Type: bucketlite.String, Required: true},
			"releasedate": {Type: bucketlite.DateTime, Required: true},
		}},
		UniqueKey: &bucketlite.UniqueKey{Fields: []string{"mediaid"}, DefaultPolicy: bucketlite.Upsert},
	}
}
