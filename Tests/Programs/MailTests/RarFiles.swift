/// Archives that rar made, in base64.
///
/// They are of the tests of rarfile 4.2, whose licence is in debian/copyright. Nothing free makes such archives.
enum RarFiles {
    /// Two files, packed, of version 3.
    static let third = """
        UmFyIRoHAM+QcwAADQAAAAAAAADSmXoAgCMAFgAAAAsAAAADvFDsdQAAAAAdMwMAAAAAAENNVAwA
        i+zL9lbBSCmPAOW/5v/w0GtqdnruDHQgkCsACAAAAAAAAAADAAAAAGxQYj0dMwkApIEAAGZpbGUx
        LnR4dADAAL+IZ/ap/9RBmXoQgCMAFgAAAAsAAAADSD9vEAAAAAAdMwMAAAAAgENNVAwAi+zL9jaQ
        Vix4DyZvzf/s1IuXwr1zFnQgkCsACAAAAAAAAAADAAAAAGxQYj0dMwkApIEAAGZpbGUyLnR4dADA
        AL+IZ/ap/9R8oHoQgCMAFgAAAAsAAAADppDaAgAAAAAdMwMAAAAAgENNVBAQy+yJ5HNBSLDP2ScX
        4v7rgY9XKvTEPXsAQAcA

        """
    /// The same with a password.
    static let thirdEncrypted = """
        UmFyIRoHAM+QcwAADQAAAAAAAADSmXoAgCMAFgAAAAsAAAADvFDsdQAAAAAdMwMAAAAAAENNVAwA
        i+zL9lbBSCmPAOW/5v/w0Gtqdnpt1nQklDMAEAAAAAAAAAADAAAAAGxQYj0dMwkApIEAAGZpbGUx
        LnR4dLMOLwEQH2W9AMDh8N4nMZ14bG1Nam0XgBynQZl6EIAjABYAAAALAAAAA0g/bxAAAAAAHTMD
        AAAAAIBDTVQMAIvsy/Y2kFYseA8mb83/7NSLl8K9FLx0JJQzABAAAAAAAAAAAwAAAABsUGI9HTMJ
        AKSBAABmaWxlMi50eHSzDi8BEB9lvQDA4fDeJzGdeGxtTWptF4Acp3ygehCAIwAWAAAACwAAAAOm
        kNoCAAAAAB0zAwAAAACAQ01UEBDL7Inkc0FIsM/ZJxfi/uuBj1cq9MQ9ewBABwA=

        """
    /// The same with a password also for the names.
    static let thirdHidden = """
        UmFyIRoHAM6Zc4AADQAAAAAAAACY1Tq5m8CEetYBvlQkcAN6cyEpKUCXohc1cprF8D3HQC5hCrn2
        MVuFgqTv/LM+JOWSkOKBJtX2wmRB7i77ioOPQi4iqlBdTFwQcuX7mT93DVrpSjrY7wkbmNU6uZvA
        hHrgk6bgBhhZgRckD0gYRCZWzW3Il1n5yk+V/eyFQeD/gRUK0PH1FYhqgwo0Dt/+cVtpBmRzjL/o
        9eJZbr4WjZ26d1KB1TV7gf0yMPF0Xp0orZjVOrmbwIR6dIy81NU11D/kThYdYR8m0/Q0386INhTR
        DFu591U24qTRWsmoeCTTV7Pbytd0QmK/KTvemhS0e7+CD3hh8RGhLlmOAwyqyYLM0lkh0Q0nU8mY
        1Tq5m8CEeiFJy/Kkf8qh7lpaFqOduVm4qHdRd4RikUFNk+MW3RDETPeZFQgxvtea461h2iBZTsc5
        KJPBOCQP5YLdUag94813UoHVNXuB/TIw8XRenSitmNU6uZvAhHr+K+c+7BoP0loh9TTiLQXDBNQm
        WBgpFMkwbcxZPeTL7ukZoSK0czQe+YMmTw3TTWZnvwax5cWy7HR9RC6q8ilw79Adzh03/BChsuTU
        Rg7LHJjVOrmbwIR6Lp7OhWfY9IXm3WrcZPa2fA==

        """
    /// Two files of version 2, stored.
    static let second = """
        UmFyIRoHADoicwIALAAAAAAAAACwYnUAAB8AEAAPNPLQD5LlB6P1/rSPSg9d7RXhNEAAlgZ0CIBI
        AAcAAAAHAAAAAKkHf+IwnmM9DzMJACAAAABGSUxFMS5UWFS03HUAAB8AEgAPMKuxZmlsZTFjb21t
        ZW50IC0tLS0tE9N68IAInBTfdAiASAAIAAAACAAAAAD3BkM8M55jPQ8wCQAgAAAARklMRTIuVFhU
        JxR1AAAfABIADzBwlGZpbGUyY29tbWVudCAtLS0tLWJhYWFhcg0K

        """
    /// An empty file of version 5.
    static let fifth = """
        UmFyIRoHAQDz4YLrCwEFBwAGAQGAgIAA95mThzACAwuJAASJAKSCAnYijYGAAAEScm9fZGlyL3Jv
        X2ZpbGUudHh0CgMTbtUdX4IlohJyZWFkb25seQp7EuCRIgIDCwAFAO2CAQAAAACAAAEGcm9fZGly
        CgMTbtUdX3pMlhMdd1ZRAwUEAA==

        """
    /// Two files of version 5 with a password.
    static let fifthEncrypted = """
        UmFyIRoHAQDz4YLrCwEFBwAGAQGAgIAA1maebhMDAp8ABJ8AACJDfqmAAAEDQ01UUkFSNSBhcmNo
        aXZlIC0gbm9oZHItcGFzc3dvcmQKAJib2Y5ZAgM8wAAEgBCkgwLq7ii6gAMBCnN0ZXN0MS50eHQw
        AQADD36YLN0a4hw2x6OR2o0IimigOq0m9IJ7h9VMclznO2lngVHP9jZJwW4YaiIPCgMCgMwgl+Yo
        zAFvXOSKu4lkW22a9BUVMg/KTEgfLmj8fkUbh1+PPsmRIRwPkcBeDl2ssikAolPsTaFiZXO/K9VB
        SFSBmxJSN991gzr80GkCA0yAEASAEKSDAuruKLqAAAEKc3Rlc3QyLnR4dDABAAMPfpgs3RriHDbH
        o5HajQiKaN+D+gzYboi4tvhRRn15SdKBUc/2NknBbhhqIg8aAw6AzCCX5ijMAYAW4xIKtNEBgHBF
        FQq00QFJ0Rg4cbziZUNXpSVodpqNzcGF0zApOoi/Z5yIDtqpYBOczY75rzda9tBj5Od7CS8Ynvyh
        ckMbjxGbfkhAf1GRHQwF0y9hsZFUbS8EHWH+5o7FCxNwCK92rTKdNZuqGodC3zEs9e0p2yrfgMQK
        XLwS7ZkG+YMxbzwlfYN6vXc1Z4yFdcxDDnmeyIHG7JNoxlawEtgiQfDFhMbAysxIayz63U+peiDh
        ZqsSjG8D/CRYIuACxZdPD9/h4teHcvCHfdwGm8em2c1w+kHIB/iwwTlbijb7yOxf9yRBkQoFh5aI
        u3NCObwScRaTN2Gut668RyCCDtfnBgvxekMV37ehVaekm5v/HyCIxXS2Y3vRbSDSKxgTA1HFZwxO
        RH8OSJF0wank9IRhcdXr9PmEUn7lu4LID1rXyx5EbBaFyR7ngT9AkgQx7cwt2yFJKgx8y1Z9/3vX
        NNKDQmBdZxD6G+JD+oycEbitAFp6rZMxD5zAyaQSCTmDYOoH6Lfx+V5jsxINOndMhvJCBeYmJx5P
        lGXaThkhEIYKuV3zi2qLG1jT5cZ7KfjA7iPTiWo7o/Fx1p0QmuXRelJtvYhUXanI9F+7O3Nu47ZS
        qrYNqRuNAIDDiI50kGR4O2cSU7ea/PZ8qiHRgR53QL3gs+jgL78ELlJTuQQjRP3P7rekaqNwIE21
        YacQ79V9xTntLUq0s+BAnCVV8t6GpmhqWCqvAdSb/Fdu0ot8pHQZ1wmbK5khx7RvaSyq/Ct5UTut
        p+QLVckbf0ZQ1Bm1wmo5rav72fL0cypxwmSi1fpQwgZ97fKvCZ5b7umuE6a7Bh7i1KBp6bPdy8n4
        nWfDoWPyJlNbNiaJBHrVX6YniBDgb3WMswOKxLRRAu1yhRaaWlPWUN1EL3MrnmatY9BHskzD/lP6
        6MhOgZnLbCGOKf8e1PGqsrb+QbJEbLpq0MmFPCSxT+GDnM7XLEmJguKZBfovXcMYtjJPwg0R7Yq1
        CASsVf/c339fal72x8k2Bgjy/M5zwiMjq7CxjDFVePxHQh7a2pbr1LpeDRR1jhCTizLPhebjUMOn
        DKUr2zODHLMJrUkxDa3QN1d9UIgDKoMr3kVTB+SWgDhOVHAM0WMX1XSxojDgIr2vRAr4wdKSZ7y7
        UnCHBSR9HRekf5KlshYMmKLwrYCCR6UJYpcyh/hsel0jDQgedzUWPbDcAPC+BCknbd7OZDUP95q9
        LgQhJ3QInJNTNrvpXyakWiKnX/YLWKukxe+zNLaYIJQ6xBABFI0LqsLa4S7KCWBcgT4mgt7rOUEe
        TvkOxk8oEJN8ViA436kZR0YsRR3CRTcYCHxkO2nZNOvon9o/j3kf27DwAjXDWRIrEW23UL6Hk35Z
        1kX/zPVzwhEE3Rj4xixro2xexLA2gGGopH2hgOK3yOemXRseVRpdpucqanE6ojKjO4rzThknQgT9
        vXkIwSUP0D47LG87UR5LmceFYjiH/26lQBmjOkJIJ+NompoSQ2PgRXohMwqbwa252zEIIVMwmj8j
        kchR+Bi+CgjqsApAXgebIGy0fAORu9DcLNWaVEWFFyYmfmaHt9v87O8SyppS6BKZZuhY1nJ41O2H
        nHSVFXg852Snbiz7JQyOWlK4mPK+m2UjsSCqEhQCGmMTgGNfHwBuo8a6PTH1Y0PDgBa9Q/9MXvfM
        rKNRj/mic71/5aOaqZoHzKMgjpHwJTliO+MmX/IDLTA2C9ixFBiZfnO0N8iy/YxASNV1V0wlvHDL
        gh4ddjP16vNhN4el1XGkLIkdWTinE2mJ1tn8Rg2Lk2yKd52WPiFzqqf9QdqeqFSoezHSjhhNAyXZ
        IsuRPxmGKdByG2qGPIyZP3E+JKwg0f+ni59LGQ+kTUNnTvG0uAoA166bYQQzTOM4Bifd0DNvZb1C
        OilHKkD4uXAy2UbD4Fn+JC6cvSXY/Icuhl4MaIgPDzFJTs1tVhbSW3CQ7W4NWRszSW6nVwXZ5C6u
        uLbhQ1tgV9UTHUh2O8jaIRdh++SAhFh6D2CLh2Wl9y1CbSigqe1dXfg3bsVd5a3fhVYr3szvn5vV
        DBuzJhxfWzKnNg3EI/FStxg5CLQPRC/fZlE8yfbBzP2LmGD1EUXybTUWzzG20Wjy07vvFzjz13o0
        bsS1BzfJe29CfQeMoF0997VJpIhrT2MxYeWM0tBYPBOER3dwn4tBO7CkwfvTgI+OsqjHTl/A7Ac7
        VamthyVeuVyr7+JSlv3m9SHjX1SaRFdHxt8k0R/oLQDnO69s4Qot0TqkaNdQYGhfv06rf3RiCCWj
        v50BF46+dDyoJVUy2qlarbbq/8njB882jXDHhF02mj5KHMvIcFTlDSr464r3tOmPGXf08aZwgqhH
        f8KQVvzLg+BQerTOOxPKAB6p9hmtTt0NOaYKQTRp7mNkxACZVj0i06WLrN8RTdT9Kdh+SoE/7SVh
        ejXh3+Xe5uu19BDGLaqfcTRao6OP5FXDYROHoGSIWTDOpYn5AxyWxE+FJqlDWjvmUNuqvgVSvWcX
        3dRcC4Hb4B/aEpEi65AqFt8IayCVDvxtgmdnVMNOt0n3N/PHu+fld3v4QlhwUtwHTMnKakcvdwTY
        3zdo4564CizImbpTgwQ7hEcfyxe7qHGYp/Fbj5C5m5AAqfw+R7bmskrZwBvghzPVZxWOo30Pu9uT
        9l39iiPhiHQxRH6hNRkWQ1dmI1YEB4h1YTz23+Ma8bd2LsZ0xwTLGpG1WdcKJBcrBlJh45vKsL+6
        Qh13VlEDBQQA

        """
}
