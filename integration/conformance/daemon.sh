#!/bin/sh
# buildkitd as upstream's harness finds it on the PATH. That harness writes a configuration file and
# names it in --config; this adds what upstream's CI has in its image, containers behind a bridge, and
# whether the daemon's own dockerfile.v0 frontend is on, and then becomes the real daemon.
set -eu
config=
for argument; do
	case $argument in --config=*) config=${argument#--config=} ;; esac
done
[ -n "$config" ] || {
	echo "buildkitd was started without --config=FILE: upstream's harness has changed" >&2
	exit 1
}
for worker in oci containerd; do
	cat >>"$config" <<-END

		[worker.$worker]
		  networkMode = "cni"
		  cniConfigPath = "$CONFORMANCE_CNI_CONFIG"
		  cniBinaryPath = "$CONFORMANCE_CNI_BIN"
	END
done
cat >>"$config" <<-END

	[frontend."dockerfile.v0"]
	  enabled = $CONFORMANCE_BUILTIN
END
# It says how many tests run at once; each daemon has the whole machine.
unset GOMAXPROCS
# A daemon lives for about a second: a tenth of its time went into collecting garbage.
export GOGC=400
exec "$CONFORMANCE_BUILDKITD" "$@"
