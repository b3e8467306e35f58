from tests.test_shadow import *
import itertools
from wiki.errors import *

def test_stress(store, tmp_path):
    """same random ops on shadow vs. real copy incl renames onto deleted, batch, conflicts"""
    import random
    for seed in range(40):
        rnd = random.Random(seed)
        a = open_store(tmp_path / f"a{seed}"); b = open_store(tmp_path / f"b{seed}")
        for s in (a, b):
            w = Wiki(s, "Users.Admin")
            w.new("Books.BookClass") 
            for i in range(6):
                p = w.new(f"A.P{i}", content=f"word {i} [[A.P1]]", title=f"t{i}"); p.tags=("red",) if i%2 else (); p.add_object(BOOK, year=1950+i); p.save()
        sh = ShadowStore(b, tmp_path / f"s{seed}", RUN)
        wa, wb = Wiki(a, "Users.Admin", run=RUN), Wiki(sh, "Users.Admin", run=RUN)
        ops=[]
        for _ in range(25):
            op = rnd.choice(["save","save","new","delete","rename","stale","batch"])
            x, y = f"A.P{rnd.randrange(8)}", f"A.P{rnd.randrange(8)}"
            n = rnd.random()
            res=[]
            for w in (wa, wb):
                try:
                    if op=="save":
                        p=w.get(x); p.content=f"word {n} [[{y}]]"; p.object(BOOK) and p.object(BOOK).update(year=int(n*100)); p.save()
                    elif op=="new":
                        p=w.new(x, content=f"new {n}", title=f"{n}"); p.add_object(BOOK, year=int(n*100)); p.save()
                    elif op=="delete": w.get(x).delete()
                    elif op=="rename": w.get(x).rename(y)
                    elif op=="stale":
                        p=w.get(x); q=w.get(x); q.title="q"; q.save(); p.title="p"; p.save()
                    elif op=="batch":
                        with w.batch():
                            for k in range(3):
                                p=w.get_or_new(f"A.P{(int(n*8)+k)%8}"); p.title=f"b{n}"; p.save()
                            w.get(x).delete()
                            w.new(x, title="again").save()
                    res.append("ok")
                except WikiError as e: res.append(f"{type(e).__name__} {e}")
            ops.append((op,x,y,res))
            assert res[0]==res[1], (seed, ops)
            def norm(s):
                d=state(s)
                out={}
                for k,v in d.items(): out[k]=v
                out["pages"]={n:(p.title,p.content,p.tags,p.objects,str(p.version)) for n,p in d["pages"].items()}
                out["queries"]=[[(str(r.reference),str(r.version)) for r in q] for q in d["queries"][:4]]+[[str(r.reference) for r in q] for q in d["queries"][4:6]]
                out["changes"]=sorted(str(r.reference) for r in d["changes"])
                return out
            na, nb = norm(a), norm(sh)
            for k in na:
                assert na[k]==nb[k], (seed, k, na[k], nb[k], ops)
        ta=[(str(t.reference),t.kind,str(t.before),str(t.after),str(t.origin)) for t in a.touched(RUN)]
        tb=[(str(t.reference),t.kind,str(t.before),str(t.after),str(t.origin)) for t in sh.touched(RUN)]
        assert ta==tb, (seed, ta, tb, ops)
        sh.overlay.close(); a.close(); b.close()
