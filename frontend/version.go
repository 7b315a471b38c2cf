package frontend

// Version of Stagecraft; the image build sets it with -ldflags -X.
var Version = "dev"
