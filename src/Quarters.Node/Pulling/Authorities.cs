using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Quarters.Node;

/// <summary>Who is believed about certificates: those that the system trusts, and those of a file.</summary>
internal sealed class Authorities
{
    private readonly X509Certificate2Collection _own = [];

    private Authorities()
    {
    }

    /// <summary>Reads the file, in PEM; null is none.</summary>
    /// <exception cref="IOException">It cannot be read, or holds no certificate.</exception>
    internal static Authorities Load(string? path)
    {
        var authorities = new Authorities();
        if (path is null)
            return authorities;
        try
        {
            authorities._own.ImportFromPemFile(path);
        }
        catch (CryptographicException e)
        {
            throw new IOException($"{path} holds something that is no certificate in PEM: {e.Message}", e);
        }

        return authorities._own.Count > 0 ? authorities : throw new IOException($"{path} holds no certificate in PEM");
    }

    /// <summary>Whether one of them vouches that this is the host that was asked.</summary>
    /// <param name="certificate">What the host presented.</param>
    /// <param name="presented">The chain that came with it.</param>
    /// <param name="errors">What the system found wrong.</param>
    internal bool VouchFor(X509Certificate? certificate, X509Chain? presented, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
            return true;
        // The name must be right whoever vouches.
        if (errors != SslPolicyErrors.RemoteCertificateChainErrors || _own.Count == 0
            || certificate is not X509Certificate2 shown)
            return false;
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_own);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.ApplicationPolicy.Add(new Oid("1.3.6.1.5.5.7.3.1"));
        if (presented is not null)
        {
            foreach (var element in presented.ChainElements)
                chain.ChainPolicy.ExtraStore.Add(element.Certificate);
        }

        return chain.Build(shown);
    }
}
