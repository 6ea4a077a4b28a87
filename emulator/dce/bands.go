package dce

// bands are the downlink's channel numbers in the E-UTRA operating bands (TS 36.101 table 5.7.3-1). Those that no modem camps on are not
// here: 6 is not used, 29, 32, 46, 67, 69, 75 and 76 carry further carriers only, 47 is for vehicles.
var bands = []struct{ number, first, last int }{
	{1, 0, 599}, {2, 600, 1199}, {3, 1200, 1949}, {4, 1950, 2399}, {5, 2400, 2649}, {7, 2750, 3449}, {8, 3450, 3799}, {9, 3800, 4149},
	{10, 4150, 4749}, {11, 4750, 4949}, {12, 5010, 5179}, {13, 5180, 5279}, {14, 5280, 5379}, {17, 5730, 5849}, {18, 5850, 5999},
	{19, 6000, 6149}, {20, 6150, 6449}, {21, 6450, 6599}, {22, 6600, 7399}, {23, 7500, 7699}, {24, 7700, 8039}, {25, 8040, 8689},
	{26, 8690, 9039}, {27, 9040, 9209}, {28, 9210, 9659}, {30, 9770, 9869}, {31, 9870, 9919},
	{33, 36000, 36199}, {34, 36200, 36349}, {35, 36350, 36949}, {36, 36950, 37549}, {37, 37550, 37749}, {38, 37750, 38249},
	{39, 38250, 38649}, {40, 38650, 39649}, {41, 39650, 41589}, {42, 41590, 43589}, {43, 43590, 45589}, {44, 45590, 46589},
	{45, 46590, 46789}, {48, 55240, 56739}, {49, 56740, 58239}, {50, 58240, 59089}, {51, 59090, 59139}, {52, 59140, 60139},
	{53, 60140, 60254},
	{65, 65536, 66435}, {66, 66436, 67335}, {68, 67536, 67835}, {70, 68336, 68585}, {71, 68586, 68935}, {72, 68936, 68985},
	{73, 68986, 69035}, {74, 69036, 69465}, {85, 70366, 70545}, {87, 70546, 70595}, {88, 70596, 70645},
}

// channels are the first and the last EARFCN of a band.
func channels(band int) (first, last int, ok bool) {
	for _, b := range bands {
		if b.number == band {
			return b.first, b.last, true
		}
	}
	return 0, 0, false
}

// BandOf is the band that an EARFCN is in: each is in one. 0: in none.
func BandOf(earfcn int) int {
	for _, b := range bands {
		if b.first <= earfcn && earfcn <= b.last {
			return b.number
		}
	}
	return 0
}

// ChannelOf is an EARFCN in the middle of a band; of one that is none, 0.
func ChannelOf(band int) int {
	first, last, _ := channels(band)
	return (first + last) / 2
}

// duplex is how up- and downlink are kept apart: from 33 to 53 by time (TS 36.101 table 5.5-1).
func duplex(band int) string {
	if 33 <= band && band <= 53 {
		return "TDD"
	}
	return "FDD"
}
