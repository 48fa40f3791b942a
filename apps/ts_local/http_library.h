// cpp-httplib as Debian compiled it: with other definitions its classes would have another layout
// here. For server.cc and s3_client.cc only.
#pragma once

#define CPPHTTPLIB_OPENSSL_SUPPORT
#define CPPHTTPLIB_ZLIB_SUPPORT
#define CPPHTTPLIB_BROTLI_SUPPORT
#include <httplib.h>
