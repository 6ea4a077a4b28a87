package plc

// Identity is the device identification of section 6.21: object id is the index. Objects 0 to 2 are the basic category, 3 to 6
// the regular one; a device has all of the basic ones.
type Identity [7]string

// The objects by name.
const (
	VendorName = iota
	ProductCode
	MajorMinorRevision
	VendorURL
	ProductName
	ModelName
	UserApplicationName
)

// Read device id codes, and what this server says about its abilities.
const (
	basicStream   = 1
	regularStream = 2
	extended      = 3
	individual    = 4

	basicObjects      = MajorMinorRevision + 1
	conformityRegular = 0x82 // regular identification, stream and individual access
	moreFollows       = 0xff
	deviceIDHeader    = 7 // function code, MEI type, code, conformity, more follows, next object id, number of objects
)

// readDeviceIdentification is function 43 with MEI type 14. Extended access is answered with the highest category that there is,
// as the section demands.
func readDeviceIdentification(e *Engine, dst, data []byte) ([]byte, error) {
	if len(data) == 0 || data[0] != meiDeviceID {
		return dst, IllegalFunction // another MEI type: this device has only the one
	}
	if err := exactly(data, 3); err != nil {
		return dst, err
	}
	code, object := data[1], int(data[2])
	if code < basicStream || code > individual {
		return dst, IllegalDataValue
	}
	objects := len(e.Identity)
	if code == basicStream {
		objects = basicObjects
	}
	if code == individual {
		if object >= objects || len(e.Identity[object]) > maxPDU-deviceIDHeader-2 {
			return dst, IllegalDataAddress
		}
		objects = object + 1
	} else if object >= objects {
		object = 0 // "if the Object Id does not match any known object, the server responds as if object 0 was pointed out"
	}
	return appendObjects(dst, code, e.Identity[:objects], object), nil
}

// appendObjects puts in what fits into one PDU and says where to go on.
func appendObjects(dst []byte, code byte, objects []string, first int) []byte {
	start := len(dst) - 1
	dst = append(dst, meiDeviceID, code, conformityRegular, 0, 0, 0)
	more, next, count := start+4, start+5, start+6
	for id := first; id < len(objects); id++ {
		text := objects[id]
		text = text[:min(len(text), maxPDU-deviceIDHeader-2)]
		if len(dst)-start+2+len(text) > maxPDU {
			dst[more], dst[next] = moreFollows, byte(id)
			break
		}
		dst = append(dst, byte(id), byte(len(text)))
		dst = append(dst, text...)
		dst[count]++
	}
	return dst
}
