package dialect

import (
	"time"

	"github.com/matou-iot/matou/thing"
)

// An Image is what applications want of a device of data streams and what it
// reported, under one version. It resembles a Shadow, but either side may write
// either half, and its versions only count.
type Image struct {
	Desired, Reported []ImageAttribute // in order of their names
	Version           int64            // 1 with the first update
	UpdatedAt         time.Time
}

// An ImageAttribute is one attribute of an image and when it was said.
type ImageAttribute = ShadowAttribute

// An ImageUpdate changes attributes; a null takes one away. Its result is a
// *ImageChange.
type ImageUpdate struct {
	Ask
	Desired, Reported []thing.Argument
}

// An ImageChange is what an update did.
type ImageChange struct {
	Changed Image            // the attributes that were named, with the new version
	Delta   []ImageAttribute // what is desired and not reported so, now
}

// An ImageGet asks for the image. Its result is an *Image.
type ImageGet struct{ Ask }

// Why an image does not answer as wished.
const (
	ErrNoImage   requestError = "the device has no image"
	ErrImageSize requestError = "the image is too large"
)

// An ImageTeller is a dialect that tells a device what is desired of it and not
// reported so.
type ImageTeller interface {
	TellImage(c Claim, change *ImageChange) []Downlink
}
