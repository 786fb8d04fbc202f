import CPosix

/// A thread of this process; see pthread_create(3).
///
/// What is installed has one thread; tests need a peer that can wait while they do.
package final class Thread: Sendable {
    private let identifier: pthread_t

    /// Start it; `join` must be called.
    package init(_ body: @escaping @Sendable () -> Void) throws(Errno) {
        let start = Unmanaged.passRetained(Start(body: body))
        var identifier = pthread_t()
        let code = pthread_create(
            &identifier, nil,
            { raw in
                guard let raw else { return nil }
                Unmanaged<Start>.fromOpaque(raw).takeRetainedValue().body()
                return nil
            }, start.toOpaque())
        guard code == 0 else {
            start.release()
            throw Errno(rawValue: code)
        }
        self.identifier = identifier
    }

    /// Wait for its end; see pthread_join(3).
    package func join() {
        _ = pthread_join(identifier, nil)  // It can only fail when it is called twice.
    }

    private final class Start: Sendable {
        let body: @Sendable () -> Void
        init(body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
