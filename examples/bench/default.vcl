vcl 4.1;

# Varnish as a cache before the origin of cacheproxy bench; its size is in run.sh. The
# bench knows a hit by the two numbers in X-Varnish.
backend origin {
    .host = "127.0.0.1";
    .port = "9000";
}
