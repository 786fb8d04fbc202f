import Posix

/// What is there to scan.
enum TestFiles {
    /// Those of Debian's clamav-testfiles.
    static var infected: [String] { files("/usr/share/clamav-testfiles") }

    /// Mails of libpython3.11-testsuite, some of them malformed.
    static var benign: [String] {
        files("/usr/lib/python3.11/test/test_email/data").filter { $0.hasSuffix(".txt") }
    }

    private static func files(_ folder: String) -> [String] {
        let names = (try? Files.names(in: Array(folder.utf8))) ?? []
        return names.map { folder + "/" + String(decoding: $0, as: UTF8.self) }.sorted()
    }

    /// A mail with an encrypted zip (a.txt, password "geheim"), and another attachment if one is given.
    static func encryptedMail(then attachment: [UInt8]? = nil) -> [UInt8] {
        var mail = """
            From: a@test.example
            Subject: secret
            MIME-Version: 1.0
            Content-Type: multipart/mixed; boundary="b"

            --b
            Content-Type: application/zip
            Content-Disposition: attachment; filename="a.zip"
            Content-Transfer-Encoding: base64

            UEsDBAoACQAAALa+eF0gMDo2EgAAAAYAAAAFABwAYS50eHRVVAkAA4gjBmuI
            IwZrdXgLAAEEAAAAAAQAAAAAllQmIAO1EMiFHGOR/f7wC6JeUEsHCCAwOjYS
            AAAABgAAAFBLAQIeAwoACQAAALa+eF0gMDo2EgAAAAYAAAAFABgAAAAAAAEA
            AACkgQAAAABhLnR4dFVUBQADiCMGa3V4CwABBAAAAAAEAAAAAFBLBQYAAAAA
            AQABAEsAAABhAAAAAAA=

            """.utf8.map { $0 }
        if let attachment {
            mail += Array("\n--b\nContent-Type: text/plain\n\n".utf8) + attachment
        }
        return mail + Array("\n--b--\n".utf8)
    }
}
