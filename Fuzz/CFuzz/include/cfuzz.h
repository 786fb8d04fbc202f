/* No one calls it by name; SwiftPM wants a header. */
