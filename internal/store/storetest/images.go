package storetest

import (
	"math"
	"reflect"
	"testing"

	"github.com/matou-iot/matou/internal/deviceimage"
	"github.com/matou-iot/matou/internal/dialect"
	"github.com/matou-iot/matou/internal/registry"
	"github.com/matou-iot/matou/thing"
)

// An ImageStore keeps images beside the devices whose they are.
type ImageStore interface {
	registry.Store
	deviceimage.Store
}

// Images is the contract of stores of devices' images.
func Images(t *testing.T, open func(t *testing.T) ImageStore) {
	for _, tt := range []struct {
		name string
		test func(t *testing.T, s ImageStore)
	}{
		{"an image comes back as it was", imageComesBack},
		{"nobody has no image", imageOfNobody},
		{"an image goes with its device", imageGoes},
	} {
		t.Run(tt.name, func(t *testing.T) { tt.test(t, open(t)) })
	}
}

var (
	imageOne = registry.ID{Product: "p", Device: "one"}
	imageTwo = registry.ID{Product: "p", Device: "two"}
)

func withImages(t *testing.T, s ImageStore) dialect.Image {
	t.Helper()
	noError(t, s.InsertProduct(t.Context(), aProduct("p")))
	two := aDevice("p", "two")
	two.Certificate = ""
	noError(t, s.InsertDevices(t.Context(), []registry.Device{aDevice("p", "one"), two}))
	im := dialect.Image{
		Desired:  []dialect.ImageAttribute{{Name: "a<b>", Value: thing.ObjectValue(`{"x":"<&>灯"}`), At: registryTime}, {Name: "n", Value: thing.FloatValue(0.1), At: registryTime}},
		Reported: []dialect.ImageAttribute{{Name: "s", Value: thing.TextValue("<on>\n"), At: registryTime}},
		Version:  math.MaxInt64, UpdatedAt: registryTime,
	}
	allSet(t, im)
	noError(t, s.SaveImage(t.Context(), imageOne, im))
	return im
}

func imageComesBack(t *testing.T, s ImageStore) {
	want := withImages(t, s)
	is := func(id registry.ID, want dialect.Image) {
		t.Helper()
		if got, err := s.Image(t.Context(), id); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v", id, got, err)
		}
	}
	is(imageOne, want)
	is(imageTwo, dialect.Image{})
	want.Desired, want.Reported, want.Version = nil, want.Desired[:1], 2
	noError(t, s.SaveImage(t.Context(), imageOne, want))
	is(imageOne, want)
	noError(t, s.DeleteImage(t.Context(), imageOne))
	is(imageOne, dialect.Image{})
	noError(t, s.DeleteImage(t.Context(), imageOne))
}

func imageOfNobody(t *testing.T, s ImageStore) {
	im := withImages(t, s)
	nobody := registry.ID{Product: "p", Device: "nobody"}
	if err := s.SaveImage(t.Context(), nobody, im); err == nil {
		t.Error("the image of nobody is kept")
	}
	if got, err := s.Image(t.Context(), nobody); err != nil || got.Version != 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

func imageGoes(t *testing.T, s ImageStore) {
	withImages(t, s)
	noError(t, deleteDevice(t, s, imageOne))
	noError(t, s.InsertDevices(t.Context(), []registry.Device{aDevice("p", "one")}))
	if got, err := s.Image(t.Context(), imageOne); err != nil || got.Version != 0 {
		t.Errorf("a new device of the same name has it: %+v, %v", got, err)
	}
}
