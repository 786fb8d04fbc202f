package import Posix

/// The settings of mail of this machine where those of /etc/qhpsi/defaultqueue cannot be had.
package enum LocalDefaults {
    /// What the packages ship there, in its strictest meaning: by it no message is lost, goes unscanned or is taken with a
    /// virus.
    private static var strict: Environment {
        var settings = Environment()
        settings.set("QHPSI", Array("plugin:clamd.so".utf8))
        settings.set("QHPSIONERROR", Array("accept".utf8))
        settings.set("QHPSIUNSCANNED", Array("defer".utf8))
        settings.set("CLAMD_RETRY", Array("2000".utf8))
        settings.set("REJECTVIRUS", Array("1".utf8))
        settings.set("MIN_FREE", Array("52428800".utf8))
        return settings
    }

    /// The settings in place of those that could not be read, when that will not pass by itself: else nil, and the mail
    /// waits, for a caller may have a hand in what passes, such as a lack of descriptors.
    package static func settings(after failure: ControlFailure) -> Environment? {
        guard case .unreadable(_, let reason) = failure else { return nil }
        let lasting: [Errno] = [
            .noSuchFile, .accessDenied, .notDirectory, .isDirectory, .tooLarge, .tooManyLinks,
        ]
        return lasting.contains(reason) ? strict : nil
    }
}
